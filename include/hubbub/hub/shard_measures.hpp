#pragma once

#include <chrono>
#include <cstdint>

#include <hubbub/core/tick_counter.hpp>
#include <hubbub/hub/callback_times.hpp>
#include <hubbub/hub/close_counts.hpp>
#include <hubbub/metrics/histogram.hpp>

namespace hubbub::inline v0 {

/// What a shard measures of itself besides the sums of deliveries.
struct ShardMeasures {
    DurationHistogram turns;  ///< from the first event of a turn to the end of its flush: while it lasts nobody else is served
    DurationHistogram fan_outs;     ///< of the publications of a turn into the queues of all members
    DurationHistogram handshakes;   ///< from accept to session
    DurationHistogram round_trips;  ///< of pings
    DurationHistogram loop_lags;    ///< how late ticks came
    SizeHistogram queue_bytes;      ///< of each session, once a second
    DurationHistogram
        queue_ages;  ///< without progress, of each session that has something queued and is stalled, once a second
    CallbackCountsOfKinds callbacks{};
    CloseCounts closes;

    ShardMeasures& operator+=(ShardMeasures const& other) {
        turns += other.turns;
        fan_outs += other.fan_outs;
        handshakes += other.handshakes;
        round_trips += other.round_trips;
        loop_lags += other.loop_lags;
        queue_bytes += other.queue_bytes;
        queue_ages += other.queue_ages;
        for (std::size_t i = 0; i < callback_kinds; ++i) callbacks[i] += other.callbacks[i];
        closes += other.closes;
        return *this;
    }
    /// How long the loop has been at work.
    std::chrono::nanoseconds busy() const noexcept { return std::chrono::nanoseconds(static_cast<std::int64_t>(turns.sum())); }
};

/// The same while it changes.
///
/// Threading: one shard's.
class ShardMeter {
   public:
    ShardMeter(std::chrono::nanoseconds slow_callback, bool is_real_time) noexcept : callbacks_(slow_callback, is_real_time) {}

    void begin_turn() noexcept { turn_begun_ = TickCounter::now(); }
    void end_turn() noexcept { sums_.turns.observe(since(turn_begun_)); }
    template <class FanOut>
    void fan_out(FanOut&& function) {
        std::uint64_t const before = TickCounter::now();
        function();
        sums_.fan_outs.observe(since(before));
    }
    CallbackTimes& callbacks() noexcept { return callbacks_; }
    ShardMeasures& sums() noexcept { return sums_; }
    ShardMeasures snapshot() const {
        ShardMeasures result = sums_;
        result.callbacks = callbacks_.counts();
        return result;
    }

   private:
    std::chrono::nanoseconds since(std::uint64_t ticks) const noexcept {
        return callbacks_.counter().duration(TickCounter::now() - ticks);
    }

    CallbackTimes callbacks_;
    ShardMeasures sums_;
    std::uint64_t turn_begun_ = 0;
};

}  // namespace hubbub::inline v0
