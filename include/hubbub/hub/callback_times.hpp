#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <hubbub/core/tick_counter.hpp>
#include <hubbub/hub/callback_kind.hpp>

namespace hubbub::inline v0 {

/// What the callbacks of one hook have taken.
struct CallbackCounts {
    std::uint64_t calls = 0;
    std::uint64_t slow = 0;  ///< took longer than HubOptions::slow_callback; of messages of one read see CallbackTimes
    std::chrono::nanoseconds time{0};  ///< between messages of one read their decoding too

    CallbackCounts& operator+=(CallbackCounts const& other) noexcept {
        calls += other.calls;
        slow += other.slow;
        time += other.time;
        return *this;
    }
    CallbackCounts operator-(CallbackCounts const& before) const noexcept {
        return {calls - before.calls, slow - before.slow, time - before.time};
    }
};
using CallbackCountsOfKinds = std::array<CallbackCounts, callback_kinds>;

/// Measures what user code takes of a loop, hook by hook.
///
/// The messages of one read are a row, and looked at in groups while each group is far from the limit. So calls and time are exact, and so
/// is which call was slow, but for a group that suddenly is as a whole: it counts as one that was.
///
/// Threading: one shard's. Cost: two looks at the processor's counter for each callback; for each in a row an eighth of one.
template <class Counter>
class BasicCallbackTimes {
   public:
    /// Callbacks of one hook with little between them: what ends one begins the next. `end` ends it.
    struct Row {
        std::uint64_t since = 0;   ///< when the last group ended, or 0
        std::uint32_t unseen = 0;  ///< calls since then
    };

    /// With a limit of 0, or a loop whose time is not real, none is slow.
    BasicCallbackTimes(std::chrono::nanoseconds limit, bool is_real) noexcept
        : limit_(is_real ? limit : std::chrono::nanoseconds(0)) {}

    /// As `callback_slow` tells it: milliseconds.
    static std::uint64_t in_event(std::chrono::nanoseconds time) noexcept {
        return static_cast<std::uint64_t>(time / std::chrono::milliseconds(1));
    }
    /// Runs it. `on_slow(duration)` if it took too long.
    template <class Callback, class OnSlow>
    void measure(CallbackKind hook, Callback&& callback, OnSlow&& on_slow) {
        Row row;
        measure(hook, callback, on_slow, row);
        end(hook, row, on_slow);
    }
    /// One of a row.
    template <class Callback, class OnSlow>
    [[gnu::always_inline]] void measure(CallbackKind hook, Callback&& callback, OnSlow&& on_slow, Row& row) {
        if (!row.since) row.since = Counter::now();
        callback();
        if (++row.unseen >= group_) end(hook, row, on_slow);
    }
    /// Counts what was not looked at yet.
    template <class OnSlow>
    void end(CallbackKind hook, Row& row, OnSlow&& on_slow) {
        if (row.unseen == 0) return;
        std::uint64_t const before = std::exchange(row.since, Counter::now());
        std::uint64_t const ticks = row.since - before;
        Sum& sum = sums_[static_cast<std::size_t>(hook)];
        sum.calls += std::exchange(row.unseen, 0);
        sum.ticks += ticks;
        group_ = ticks < limit_in_ticks_ / largest_group ? largest_group : 1;
        if (ticks >= limit_in_ticks_) [[unlikely]] {
            ++sum.slow;
            on_slow(counter_.duration(ticks));
        }
    }
    /// To be called now and then: the rate of the processor's counter becomes more exact.
    void tick() noexcept {
        counter_.measure();
        if (limit_.count()) limit_in_ticks_ = counter_.ticks(limit_);
    }
    Counter const& counter() const noexcept { return counter_; }
    CallbackCountsOfKinds counts() const noexcept {
        CallbackCountsOfKinds result;
        for (std::size_t i = 0; i < callback_kinds; ++i)
            result[i] = {sums_[i].calls, sums_[i].slow, counter_.duration(sums_[i].ticks)};
        return result;
    }

   private:
    static constexpr std::uint32_t largest_group = 8;
    struct Sum {
        std::uint64_t calls = 0, slow = 0, ticks = 0;
    };

    Counter counter_;
    std::chrono::nanoseconds limit_;
    std::uint64_t limit_in_ticks_ = ~std::uint64_t{0};  ///< unknown before the first tick
    std::uint32_t group_ = 1;                           ///< so many calls of a row for one look
    std::array<Sum, callback_kinds> sums_{};
};
using CallbackTimes = BasicCallbackTimes<TickCounter>;

}  // namespace hubbub::inline v0
