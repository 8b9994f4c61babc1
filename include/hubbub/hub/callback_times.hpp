#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <hubbub/core/tick_counter.hpp>
#include <hubbub/hub/callback_kind.hpp>

namespace hubbub::inline v0 {

/// What the callbacks of one hook have taken.
struct CallbackCounts {
    std::uint64_t calls = 0;
    std::uint64_t slow = 0;            ///< took longer than HubOptions::slow_callback
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
/// Threading: one shard's. Cost: two looks at the processor's counter for each callback, one for each in a row.
class CallbackTimes {
   public:
    /// With a limit of 0, or a loop whose time is not real, none is slow.
    CallbackTimes(std::chrono::nanoseconds limit, bool is_real) noexcept
        : limit_(is_real ? limit : std::chrono::nanoseconds(0)) {}

    /// As `callback_slow` tells it: milliseconds.
    static std::uint64_t in_event(std::chrono::nanoseconds time) noexcept {
        return static_cast<std::uint64_t>(time / std::chrono::milliseconds(1));
    }
    /// Runs it. `on_slow(duration)` if it took too long.
    template <class Callback, class OnSlow>
    void measure(CallbackKind hook, Callback&& callback, OnSlow&& on_slow) {
        std::uint64_t since = 0;
        measure(hook, callback, on_slow, since);
    }
    /// One of several in a row with little between them: what ends one begins the next. `since`: when the last one ended, or 0.
    template <class Callback, class OnSlow>
    void measure(CallbackKind hook, Callback&& callback, OnSlow&& on_slow, std::uint64_t& since) {
        std::uint64_t const before = since ? since : TickCounter::now();
        callback();
        since = TickCounter::now();
        std::uint64_t const ticks = since - before;
        Sum& sum = sums_[static_cast<std::size_t>(hook)];
        ++sum.calls;
        sum.ticks += ticks;
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
    TickCounter const& counter() const noexcept { return counter_; }
    CallbackCountsOfKinds counts() const noexcept {
        CallbackCountsOfKinds result;
        for (std::size_t i = 0; i < callback_kinds; ++i)
            result[i] = {sums_[i].calls, sums_[i].slow, counter_.duration(sums_[i].ticks)};
        return result;
    }

   private:
    struct Sum {
        std::uint64_t calls = 0, slow = 0, ticks = 0;
    };

    TickCounter counter_;
    std::chrono::nanoseconds limit_;
    std::uint64_t limit_in_ticks_ = ~std::uint64_t{0};  ///< unknown before the first tick
    std::array<Sum, callback_kinds> sums_{};
};

}  // namespace hubbub::inline v0
