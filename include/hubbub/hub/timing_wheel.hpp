#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include <hubbub/core/assert.hpp>

namespace hubbub::inline v0 {

/// The links of something that waits in a TimingWheel.
struct WheelLinks {
    static constexpr std::uint32_t none = ~0u;
    std::uint32_t next = none;
    std::uint32_t previous = none;
    std::uint16_t slot = 0xFFFF;  ///< where it waits; 0xFFFF for nowhere
};

/// Who is due when, in ticks: a hashed timing wheel (Varghese and Lauck, 1987). A time further off than one turn of the wheel is
/// looked at once a turn.
///
/// Threading: its shard's. Cost: constant to add, move and remove; a tick touches only who is due.
class TimingWheel {
   public:
    static constexpr std::uint32_t slots = 512;

    TimingWheel() { heads_.fill(WheelLinks::none); }

    /// `links(index)` gives the links of each that waits.
    template <class Links>
    void schedule(std::uint32_t index, std::uint32_t due, std::uint32_t now, Links&& links) {
        WheelLinks& mine = links(index);
        std::uint32_t const ahead = due <= now ? 1 : due - now < slots ? due - now : slots - 1;
        auto const slot = static_cast<std::uint16_t>((now + ahead) % slots);
        if (mine.slot == slot) return;
        remove(index, links);
        mine = {heads_[slot], WheelLinks::none, slot};
        if (mine.next != WheelLinks::none) links(mine.next).previous = index;
        heads_[slot] = index;
    }
    template <class Links>
    void remove(std::uint32_t index, Links&& links) {
        WheelLinks& mine = links(index);
        if (mine.slot == 0xFFFF) return;
        if (mine.next != WheelLinks::none) links(mine.next).previous = mine.previous;
        (mine.previous != WheelLinks::none ? links(mine.previous).next : heads_[mine.slot]) = mine.next;
        mine = {};
    }
    /// Takes everybody out who is due at `tick` and calls `due(index)`, which may schedule them, and only them, again.
    template <class Links, class Due>
    void run(std::uint32_t tick, Links&& links, Due&& due) {
        std::uint32_t index = std::exchange(heads_[tick % slots], WheelLinks::none);
        while (index != WheelLinks::none) {
            WheelLinks& mine = links(index);
            std::uint32_t const next = mine.next;
            if (next != WheelLinks::none) links(next).previous = WheelLinks::none;
            mine = {};
            due(index);
            index = next;
        }
    }

   private:
    std::array<std::uint32_t, slots> heads_;
};

}  // namespace hubbub::inline v0
