#pragma once

#include <iostream>
#include <string>

#include <hubbub/policy/event_sink.hpp>

namespace chat {

/// Tells the operator on standard error what the hub says of its broker, and of what he has asked for: reloads and hand-overs.
struct Teller {
    void on_event(hubbub::Event const& event) noexcept {
        bool const is_of_broker = event.name.starts_with("backplane_") || event.name == "continuity_lost" ||
                                  event.name == "outbox_full" || event.name == "drain_unpublished";
        bool const was_asked_for = event.name.starts_with("reload") || event.name == "handed_over";
        if (!is_of_broker && !was_asked_for) return;
        try {
            std::string const detail =
                event.detail.empty() && event.number ? std::to_string(event.number) : std::string(event.detail);
            std::cerr << std::string(event.name).append(" ").append(detail).append("\n") << std::flush;
        } catch (...) {  // there is nobody else to tell
        }
    }
};

}  // namespace chat
