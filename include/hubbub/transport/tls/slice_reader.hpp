#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include <hubbub/ws/block.hpp>

namespace hubbub::inline v0::detail {

/// Cuts the slices of a write into what goes into one call of the cipher: large ones as they are, small ones together.
class SliceReader {
   public:
    /// `buffer` is one record long.
    SliceReader(std::span<ws::Slice const> slices, std::span<std::byte> buffer) noexcept : slices_(slices), buffer_(buffer) {
        skip_empty();
    }

    bool is_done() const noexcept { return slices_.empty(); }

    /// The next bytes, at most `most` of them and at least one. Valid until the next call.
    std::span<std::byte const> take(std::size_t most) noexcept {
        std::size_t const here = slices_.front().length - offset_;
        if (slices_.size() == 1 || here >= most) return advance(std::min(here, most));
        if (here >= buffer_.size()) return advance(here / buffer_.size() * buffer_.size());
        return buffer_.first(copy(buffer_.first(std::min(most, buffer_.size()))));
    }
    /// The next bytes, as many as there is room for.
    std::size_t copy(std::span<std::byte> room) noexcept {
        std::size_t filled = 0;
        while (filled < room.size() && !is_done()) {
            auto const part = advance(std::min<std::size_t>(slices_.front().length - offset_, room.size() - filled));
            std::memcpy(room.data() + filled, part.data(), part.size());
            filled += part.size();
        }
        return filled;
    }

   private:
    std::span<std::byte const> advance(std::size_t count) noexcept {
        std::span<std::byte const> const result{slices_.front().data() + offset_, count};
        offset_ += count;
        if (offset_ == slices_.front().length) {
            slices_ = slices_.subspan(1);
            offset_ = 0;
            skip_empty();
        }
        return result;
    }
    void skip_empty() noexcept {
        while (!slices_.empty() && slices_.front().length == 0) slices_ = slices_.subspan(1);
    }

    std::span<ws::Slice const> slices_;
    std::span<std::byte> buffer_;
    std::size_t offset_ = 0;  // in the first slice
};

}  // namespace hubbub::inline v0::detail
