#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include <hubbub/core/ids.hpp>

namespace hubbub::inline v0 {

/// Something that an operator may want to know. Never a payload, a token or a cookie.
///
///     name                 session  detail                      number
///     session_opened       yes
///     session_closed       yes      "us", "peer" or "network"   close code
///     connection_refused            why, as in Refusal
///     messages_dropped     yes      "slow_consumer"             how many, since the session was told last
///     slow_consumer        yes      disconnected for slowness
///     drain_begun                                               sessions of the shard
///     drain_ended                                               sessions that were reset at the deadline
///     engine_chosen                 its name
///     engine_remark                 why it is not the uring engine, where that could have been
///     tls_failed                    of a Server: whose handshake, and why
///     reloaded                      of a Server: its certificates, and what its host loads
///     reload_failed                 of a Server: what was wrong
///     handed_over                   of a Server: another process accepts, and this one will drain
///     callback_threw       yes      the hook, where one is known
///     policy_threw                  "authentication", "origin", "routes" or "sharding"
///     backplane_ready               a broker is there
///     backplane_lost                why a broker is not there any more
///     backplane_apart               it is away for longer than OutboxLimits::patience
///     outbox_full                   the topic of a publication that was dropped
///     continuity_lost               the topic whose members were told that they may have missed something
///     backplane_...                 other remarks of a backplane
///     any other                     from `Hub::report`
struct Event {
    std::string_view name;
    SessionId session{};           ///< none where it concerns no session
    std::string_view detail = {};  ///< borrowed until the call returns, like the name
    std::uint64_t number = 0;
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

/// Hears nothing, and costs nothing.
struct NoEvents {
    static constexpr bool is_deaf = true;  ///< need not be told
    void on_event(Event const&) noexcept {}
};
static_assert(EventSink<NoEvents>);

/// Tells a sink, unless it is deaf: what would make the event is then not compiled.
template <EventSink Sink>
void tell_event(Sink& sink, Event const& event) noexcept {
    if constexpr (!requires { Sink::is_deaf; }) sink.on_event(event);
}

}  // namespace hubbub::inline v0
