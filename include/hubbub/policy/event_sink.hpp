#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <hubbub/core/clock.hpp>
#include <hubbub/core/ids.hpp>
#include <hubbub/policy/event_level.hpp>
#include <hubbub/policy/options_of.hpp>

namespace hubbub::inline v0 {

/// Something that an operator may want to know. Never a payload, a token or a cookie.
///
/// docs/events.md lists what the library tells, with what `detail` and `number` are of each; `event_kinds` has the names. Any other
/// name is from `Hub::report`.
struct Event {
    std::string_view name;
    SessionId session{};           ///< none where it concerns no session
    std::string_view detail = {};  ///< borrowed until the call returns, like the name
    std::uint64_t number = 0;

    EventLevel level() const noexcept { return event_level(name == "events_suppressed" ? detail : name); }
};

/// Whose events a sink hears.
struct EventSource {
    std::uint64_t node = 0;  ///< 0 without a broker
    ShardIndex shard{};
};

/// Where events go.
///
/// Exemplar:
///     struct EventSinkExemplar {
///         void on_event(hubbub::Event const&) noexcept;
///         // and, if it wants to:
///         EventSinkExemplar(hubbub::OptionsOf<EventSinkExemplar> const&, hubbub::EventSource);  // to know whose events it hears
///         void on_tick(hubbub::TimePoint) noexcept;  // each second, on the loop's clock
///     };
///
/// Required behaviour: called on each shard's loop, on an instance of its own; it does not throw, does not wait, and calls nothing
/// of the hub.
///
/// Models: NoEvents, JsonLines, SpdlogEvents, RateLimitedEvents.
template <class T>
concept EventSink = std::copy_constructible<T> && requires(T& sink, Event const& event) {
    { sink.on_event(event) } noexcept;
};

/// Hears nothing, and costs nothing.
struct NoEvents {
    static constexpr bool is_deaf = true;  ///< need not be told
    void on_event(Event const&) noexcept {}
};
static_assert(EventSink<NoEvents>);

/// The sink of a shard.
template <EventSink Sink>
Sink make_event_sink(OptionsOf<Sink> const& options, [[maybe_unused]] EventSource source) {
    if constexpr (std::is_constructible_v<Sink, OptionsOf<Sink> const&, EventSource>)
        return Sink(options, source);
    else
        return Sink(options);
}

/// Tells a sink, unless it is deaf: what would make the event is then not compiled.
template <EventSink Sink>
void tell_event(Sink& sink, Event const& event) noexcept {
    if constexpr (!requires { Sink::is_deaf; }) sink.on_event(event);
}

/// Tells a sink that time passes, if it wants to know.
template <EventSink Sink>
void tick_event_sink([[maybe_unused]] Sink& sink, [[maybe_unused]] TimePoint now) noexcept {
    if constexpr (requires { sink.on_tick(now); }) sink.on_tick(now);
}

}  // namespace hubbub::inline v0
