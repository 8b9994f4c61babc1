#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include <hubbub/core/assert.hpp>
#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/peer_address.hpp>

namespace hubbub::inline v0::detail {

struct SocketState;

/// The connections of one engine by a small number. It exists so that what the kernel reports is a number and not an
/// address: a connection may move in memory without a system call, and an event that comes late finds nobody.
///
/// Indexed by slot and not by descriptor, so that its size follows the connections of one loop, not those of the process.
///
/// Cost: 28 bytes a slot, in pages of 256 that never move.
class SlotTable {
   public:
    static constexpr std::uint32_t max_slots = 1u << 22;

    std::uint32_t take(SocketState& state, PeerAddress const& peer) {
        std::uint32_t const slot = next_free();
        find(slot) = &state;
        pages_[slot / page_size]->peers[slot % page_size] = peer;
        return slot;
    }

    /// The connection in this slot, or null.
    SocketState*& find(std::uint32_t slot) noexcept {
        HUBBUB_ASSERT(slot < used_);
        return pages_[slot / page_size]->states[slot % page_size];
    }

    /// Calls `function` with each connection.
    template <class Function>
    void each(Function function) {
        for (std::uint32_t slot = 0; slot < used_; ++slot)
            if (SocketState* const state = find(slot)) function(*state);
    }

    PeerAddress const& peer(std::uint32_t slot) const noexcept { return pages_[slot / page_size]->peers[slot % page_size]; }

    /// The slot is empty at once. It is given away again at once too, or after `end_batch` if a batch is under way: the rest
    /// of that batch may name it.
    void put_back(std::uint32_t slot) {
        find(slot) = nullptr;
        (in_batch_ ? retired_ : free_).push_back(slot);
    }

    void begin_batch() noexcept { in_batch_ = true; }
    void end_batch() {
        in_batch_ = false;
        if (retired_.empty()) return;
        free_.insert(free_.end(), retired_.begin(), retired_.end());
        retired_.clear();
    }

   private:
    static constexpr std::uint32_t page_size = 256;
    struct Page {
        std::array<SocketState*, page_size> states{};
        std::array<PeerAddress, page_size> peers{};
    };

    std::uint32_t next_free() {
        if (!free_.empty()) {
            std::uint32_t const slot = free_.back();
            free_.pop_back();
            return slot;
        }
        if (used_ == max_slots) throw_exception(std::length_error("one loop holds at most 4194304 connections"));
        if (used_ == pages_.size() * page_size) pages_.push_back(std::make_unique<Page>());
        return used_++;
    }

    std::vector<std::unique_ptr<Page>> pages_;
    std::vector<std::uint32_t> free_, retired_;
    std::uint32_t used_ = 0;
    bool in_batch_ = false;
};

}  // namespace hubbub::inline v0::detail
