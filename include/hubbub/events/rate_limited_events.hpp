#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/core/clock.hpp>
#include <hubbub/core/exceptions.hpp>
#include <hubbub/policy/event_sink.hpp>
#include <hubbub/policy/options_of.hpp>

namespace hubbub::inline v0 {

/// Passes so many events of a name on in each interval, and then one `events_suppressed` with the name and how many more there were.
/// It exists because many events are caused by strangers, who would fill a disk with them, and hide behind them what matters.
///
/// It stands before a sink, and not in each, so that sinks of one's own have it too. It has no clock: the hub tells it once a second
/// what time it is, so that in a simulation it keeps virtual time.
///
/// Threading, Lifetime: its shard's. What is suppressed when it goes is told then.
/// Cost: a comparison with the names that were told in this interval.
/// Example: `struct Policy : hubbub::DefaultPolicy { using EventSink = hubbub::RateLimitedEvents<Mine>; };`
template <EventSink Sink>
class RateLimitedEvents {
   public:
    struct Options {
        OptionsOf<Sink> sink{};
        std::uint32_t events = 50;                   ///< of a name, in an interval; for each shard
        std::chrono::milliseconds interval{10'000};  ///< in whole seconds of the loop, more or less
        std::size_t names = 64;                      ///< that are told apart in an interval; all others count as one

        /// Throws std::invalid_argument with a sentence that names the member.
        void check() const {
            auto const demand = [](bool holds, char const* sentence) {
                if (!holds) detail::throw_exception(std::invalid_argument(sentence));
            };
            demand(events >= 1, "RateLimitedEvents::Options::events must be at least 1");
            demand(interval.count() > 0, "RateLimitedEvents::Options::interval must be positive");
            demand(names >= 1, "RateLimitedEvents::Options::names must be at least 1");
            check_options(sink);
        }
    };

    explicit RateLimitedEvents(Options options, EventSource source = {})
        : options_(std::move(options)), sink_(make_event_sink<Sink>(options_.sink, source)) {}
    /// A copy has suppressed nothing.
    RateLimitedEvents(RateLimitedEvents const& other) : options_(other.options_), sink_(other.sink_) {}
    RateLimitedEvents& operator=(RateLimitedEvents const&) = delete;
    ~RateLimitedEvents() { tell_suppressed(); }

    void on_event(Event const& event) noexcept {
        Counts& counts = counts_of(event.name);
        if (counts.told == options_.events) {
            ++counts.suppressed;
            return;
        }
        ++counts.told;
        sink_.on_event(event);
    }
    void on_tick(TimePoint now) noexcept {
        if (now >= ends_) {
            tell_suppressed();
            counts_.clear();
            ends_ = now + options_.interval;
        }
        tick_event_sink(sink_, now);
    }

   private:
    struct Counts {
        std::string name;
        std::uint32_t told = 0;
        std::uint64_t suppressed = 0;
    };

    Counts& counts_of(std::string_view name) {
        auto const known = std::find_if(counts_.begin(), counts_.end(), [&](Counts const& each) { return each.name == name; });
        if (known != counts_.end()) return *known;
        if (counts_.size() < options_.names) return counts_.emplace_back(Counts{std::string(name)});
        if (counts_.size() == options_.names) counts_.push_back({"other names"});
        return counts_.back();
    }
    void tell_suppressed() noexcept {
        for (Counts const& each : counts_)
            if (each.suppressed) sink_.on_event({.name = "events_suppressed", .detail = each.name, .number = each.suppressed});
    }

    Options options_;
    Sink sink_;
    std::vector<Counts> counts_;  ///< of this interval
    TimePoint ends_{};
};
static_assert(EventSink<RateLimitedEvents<NoEvents>>);

}  // namespace hubbub::inline v0
