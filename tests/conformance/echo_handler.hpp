#pragma once

#include <hubbub/hub/hub_options.hpp>
#include <hubbub/hub/noop_handler.hpp>

#include "tests/conformance/cases.hpp"

namespace conformance {

/// What every hub of this suite does.
struct EchoHandler : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) { session.send(message); }
};

/// A hub that the cases of these options can be run against.
inline hubbub::HubOptions hub_options(ServerOptions const& wanted) {
    hubbub::HubOptions options;
    options.message.message = wanted.message;
    options.message.fragments = wanted.fragments;
    options.queue.bytes = 256 * 1024 * 1024;
    options.queue.messages = 32'000;
    return options;
}

}  // namespace conformance
