#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/manual_loop.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

#include "tests/conformance/echo_handler.hpp"
#include "tests/conformance/run.hpp"
#include "tests/support/memory_hub.hpp"

namespace conformance {

/// A whole hub over a connection in memory, or over one that is made of it.
template <class Conn, hubbub::HubPolicy Policy = hubbub::DefaultPolicy>
class MemoryEcho {
   public:
    explicit MemoryEcho(hubbub::MemoryMode mode) : mode_(mode) {}

    void connect(ServerOptions const& options) {
        hub_.reset();
        loop_ = std::make_unique<hubbub::ManualLoop>();
        hub_ = std::make_unique<hubbub::Hub<Conn, Policy>>(*loop_, EchoHandler{}, hub_options<Policy>(options));
        hubbub::MemorySocket socket;
        wire_ = socket.wire;
        wire_->mode = mode_;
        taken_ = 0;
        hub_->adopt(std::move(socket));
        loop_->run_until_idle();
    }
    void send(std::string_view bytes) {
        wire_->to_server.append(bytes);
        for (bool did = true; did;) {
            did = loop_->run_turn();
            if (auto* endpoint = hub_->driver(0).find(*wire_)) {
                loop_->run_events([&] { did |= endpoint->deliver(64 * 1024); });
                if (hub_->driver(0).find(*wire_) == endpoint) loop_->run_events([&] { did |= endpoint->make_progress(); });
            }
        }
    }
    std::optional<std::string> receive() {
        if (taken_ == wire_->received.size()) {
            if (wire_->server_ended || wire_->server_closed) return std::nullopt;
            throw std::runtime_error("the server waits, and so does the client");
        }
        std::string const fresh = wire_->received.substr(taken_);
        taken_ = wire_->received.size();
        return fresh;
    }

   private:
    hubbub::MemoryMode mode_;
    std::unique_ptr<hubbub::ManualLoop> loop_;
    std::unique_ptr<hubbub::Hub<Conn, Policy>> hub_;
    std::shared_ptr<hubbub::MemoryWire> wire_;
    std::size_t taken_ = 0;
};

}  // namespace conformance
