#pragma once

#include <concepts>
#include <string_view>

#include <hubbub/core/ids.hpp>

namespace hubbub::inline v0 {

/// Something that an operator may want to know. Never a payload, a token or a cookie.
struct Event {
    std::string_view name;    ///< "callback_threw", "policy_threw"
    SessionId session;        ///< none where it concerns no session
    std::string_view detail;  ///< borrowed until the call returns
};

/// Where events go.
///
/// Exemplar:
///     struct EventSinkExemplar {
///         void on_event(hubbub::Event const&) noexcept;
///     };
///
/// Required behaviour: called on each shard's loop, on an instance of its own; it does not throw and calls nothing of the hub.
///
/// Models: NoEvents.
template <class T>
concept EventSink = std::copy_constructible<T> && requires(T& sink, Event const& event) {
    { sink.on_event(event) } noexcept;
};

struct NoEvents {
    void on_event(Event const&) noexcept {}
};
static_assert(EventSink<NoEvents>);

}  // namespace hubbub::inline v0
