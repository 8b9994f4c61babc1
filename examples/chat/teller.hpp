#pragma once

#include <iostream>
#include <string>

#include <hubbub/policy/event_sink.hpp>

namespace chat {

/// Tells the operator what the hub says of its broker, on standard error.
struct Teller {
    void on_event(hubbub::Event const& event) noexcept {
        if (!event.name.starts_with("backplane_") && event.name != "continuity_lost" && event.name != "outbox_full") return;
        try {
            std::cerr << std::string(event.name).append(" ").append(event.detail).append("\n") << std::flush;
        } catch (...) {  // there is nobody else to tell
        }
    }
};

}  // namespace chat
