#pragma once

#include <cstdint>
#include <string_view>

namespace hubbub::inline v0 {

/// How much an event matters to whoever runs the service.
enum class EventLevel : std::uint8_t {
    debug,    ///< the course of things: as many as there are sessions
    info,     ///< a decision, or a change that was asked for
    warning,  ///< somebody does not get all that he could have
    error,    ///< something is broken, and somebody should look
};
inline constexpr std::string_view event_level_names[] = {"debug", "info", "warning", "error"};

/// A name that the library gives to events, and how much they matter.
struct EventKind {
    std::string_view name;
    EventLevel level;
};

/// All of them. docs/events.md says of each when it is told and what is in it; tools/check_events.py holds the code, this table and
/// that page against each other.
inline constexpr EventKind event_kinds[] = {
    {"session_opened", EventLevel::debug},
    {"session_closed", EventLevel::debug},
    {"connection_refused", EventLevel::info},
    {"session_throttled", EventLevel::warning},
    {"session_shed", EventLevel::warning},
    {"history_shed", EventLevel::warning},
    {"messages_dropped", EventLevel::warning},
    {"slow_consumer", EventLevel::warning},
    {"publication_too_big", EventLevel::warning},
    {"callback_threw", EventLevel::error},
    {"callback_slow", EventLevel::warning},
    {"policy_threw", EventLevel::error},
    {"drain_begun", EventLevel::info},
    {"drain_ended", EventLevel::info},
    {"drain_unpublished", EventLevel::error},
    {"engine_chosen", EventLevel::info},
    {"engine_remark", EventLevel::info},
    {"accepting", EventLevel::error},
    {"tls_failed", EventLevel::info},
    {"reloaded", EventLevel::info},
    {"reload_failed", EventLevel::error},
    {"handed_over", EventLevel::info},
    {"dump_failed", EventLevel::error},
    {"ready_failed", EventLevel::error},
    {"backplane_ready", EventLevel::info},
    {"backplane_connected", EventLevel::info},
    {"backplane_retry", EventLevel::warning},
    {"backplane_lost", EventLevel::error},
    {"backplane_apart", EventLevel::error},
    {"backplane_unreachable", EventLevel::error},
    {"backplane_without_history", EventLevel::error},
    {"backplane_history_lost", EventLevel::error},
    {"backplane_refused", EventLevel::warning},
    {"backplane_malformed", EventLevel::warning},
    {"backplane_overflow", EventLevel::warning},
    {"backplane_overrun", EventLevel::warning},
    {"publication_refused", EventLevel::warning},
    {"outbox_full", EventLevel::error},
    {"continuity_lost", EventLevel::warning},
    {"events_dropped", EventLevel::warning},     // by a sink, which could not write them
    {"events_suppressed", EventLevel::warning},  // by a sink; it matters as much as what was suppressed
};

/// Of the events of a name. What an application reports under a name of its own is `info`.
/// Cost: a comparison with each name.
constexpr EventLevel event_level(std::string_view name) noexcept {
    for (EventKind const& kind : event_kinds)
        if (kind.name == name) return kind.level;
    return EventLevel::info;
}

}  // namespace hubbub::inline v0
