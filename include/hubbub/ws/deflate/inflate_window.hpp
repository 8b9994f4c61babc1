#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include <hubbub/ws/deflate/scratch.hpp>

namespace hubbub::inline v0::ws {

/// The newest bytes that a peer has said, as far back as its next message may refer to: all that has to be kept of a peer's
/// context between its messages (RFC 7692 7.2.2).
///
/// Threading: its ledger's. Cost: as much as has been said, up to 2^bits bytes.
class InflateWindow {
   public:
    InflateWindow(Ledger& ledger, unsigned bits) noexcept : bytes_(ledger), most_(std::size_t{1} << bits) {}

    std::span<std::byte const> bytes() noexcept { return {bytes_.data(), size_}; }

    std::size_t memory() const noexcept { return bytes_.capacity(); }

    /// What the peer has said now. False: there is no memory.
    bool remember(std::span<std::byte const> said) noexcept {
        if (said.empty()) return true;
        if (said.size() > most_) said = said.last(most_);
        std::size_t const kept = std::min(size_, most_ - said.size());
        std::size_t const wanted = kept + said.size();
        if (wanted > bytes_.capacity() && !bytes_.reserve(std::min(std::max(wanted, 2 * bytes_.capacity()), most_), size_))
            return false;
        if (kept != 0) std::memmove(bytes_.data(), bytes_.data() + size_ - kept, kept);
        std::memcpy(bytes_.data() + kept, said.data(), said.size());
        size_ = wanted;
        return true;
    }

   private:
    Scratch bytes_;
    std::size_t most_;
    std::size_t size_ = 0;
};

}  // namespace hubbub::inline v0::ws
