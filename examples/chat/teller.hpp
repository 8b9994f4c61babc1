#pragma once

#include <iostream>
#include <string>

#include <hubbub/policy/event_sink.hpp>

namespace chat {

/// Tells the operator on standard error what the hub says of its broker, and of what he has asked for: reloads and hand-overs.
struct Teller {
    void on_event(hubbub::Event const& event) noexcept {
        bool const is_of_broker =
            event.name.starts_with("backplane_") || event.name == "continuity_lost" || event.name == "outbox_full";
        bool const was_asked_for = event.name.starts_with("reload") || event.name == "handed_over";
        if (!is_of_broker && !was_asked_for) return;
        try {
            std::cerr << std::string(event.name).append(" ").append(event.detail).append("\n") << std::flush;
        } catch (...) {  // there is nobody else to tell
        }
    }
};

}  // namespace chat
