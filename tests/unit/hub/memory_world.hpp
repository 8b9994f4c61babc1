#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/manual_loop.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>
#include <hubbub/ws/encoder.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/memory_hub.hpp"

/// A hub in memory and its clients, for tests of one behaviour at a time.
namespace memory_world {

using namespace hubbub;
using Messages = std::vector<std::string>;

inline constexpr std::string_view request =
    "GET /chat HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

template <OverflowPolicy P>
struct Overflowing : DefaultPolicy {
    using Overflow = P;
};

/// A hub over manual loops, and its clients.
template <class Handler, HubPolicy Policy = DefaultPolicy>
struct World {
    explicit World(Handler handler, std::size_t shards = 1, HubOptions<Policy> options = {})
        : hub(make_loops(shards), std::move(handler), std::move(options)) {}

    std::span<ShardLoop* const> make_loops(std::size_t count) {
        time.solo = false;
        for (std::size_t i = 0; i < count; ++i) {
            loops.push_back(std::make_unique<ManualLoop>(time));
            pointers.push_back(loops.back().get());
        }
        return pointers;
    }
    std::shared_ptr<MemoryWire> connect(std::string_view text = request, MemoryMode mode = MemoryMode::direct,
                                        PeerAddress const& peer = {}) {
        MemorySocket socket;
        auto wire = socket.wire;
        wire->mode = mode;
        wire->peer = peer;
        wire->to_server = text;
        wires.push_back(wire);
        hub.adopt(std::move(socket));
        run();
        return wire;
    }
    void run() {
        for (bool did = true; did;) {
            did = false;
            for (std::size_t i = 0; i < loops.size(); ++i) {
                while (loops[i]->run_turn()) did = true;
                for (auto const& wire : wires)
                    if (auto* endpoint = hub.driver(i).find(*wire)) {
                        bool progress = false;
                        loops[i]->run_events([&] {
                            progress = endpoint->deliver(split);
                            if (hub.driver(i).find(*wire) == endpoint) progress |= endpoint->make_progress();
                        });
                        did |= progress;
                    }
            }
        }
    }
    void pass(std::chrono::milliseconds duration) {
        auto const end = time.now + duration;
        while (time.now < end) {
            time.now += std::chrono::milliseconds(250);
            for (auto& loop : loops) loop->run_timer();
            run();
        }
    }
    void say(MemoryWire& wire, std::string_view text) {
        auto const bytes = ws::encode_frame(ws::ClientFrame::text(text));
        wire.to_server.append(bytes);
        run();
    }
    DeliveryCounts sums() {
        DeliveryCounts all;
        std::uint64_t pending = 0;
        for (std::size_t i = 0; i < loops.size(); ++i) {
            auto const shard = hub.snapshot(i);
            all.deliveries += shard.delivery.deliveries;
            all.written += shard.delivery.written;
            for (std::size_t reason = 0; reason < drop_reasons; ++reason) all.dropped[reason] += shard.delivery.dropped[reason];
            pending += shard.pending;
        }
        CHECK(all.deliveries == all.written + all.all_dropped() + pending);
        return all;
    }

    std::size_t split = 7;  ///< so many bytes come at once: few, so that what comes is cut anywhere; more where much comes
    ManualLoop::World time;
    std::vector<std::unique_ptr<ManualLoop>> loops;
    std::vector<ShardLoop*> pointers;
    std::vector<std::shared_ptr<MemoryWire>> wires;
    Hub<MemoryConnection, Policy> hub;
};

/// What the client got behind the 101: payloads of messages, and "close N" for a Close.
inline std::vector<std::string> messages(MemoryWire const& wire) {
    std::vector<std::string> result;
    std::string_view rest = wire.received;
    auto const head = rest.find("\r\n\r\n");
    REQUIRE(head != std::string_view::npos);
    CHECK(rest.substr(0, 12) == "HTTP/1.1 101");
    rest.remove_prefix(head + 4);
    while (!rest.empty()) {
        auto const* frame = reinterpret_cast<std::byte const*>(rest.data());
        auto const size = ws::server_frame_size(frame);
        if (size > rest.size()) break;
        auto const payload = rest.substr(size < 128 ? 2 : 4, size - (size < 128 ? 2 : 4));
        if (frame[0] == std::byte{0x88})
            result.push_back("close " + std::to_string(static_cast<unsigned char>(payload[0]) << 8 |
                                                       static_cast<unsigned char>(payload[1])));
        else if (frame[0] == std::byte{0x89})
            result.push_back("ping");
        else
            result.emplace_back(payload);
        rest.remove_prefix(size);
    }
    return result;
}

/// Lets a test say what happens.
template <class Session>
struct Hooks {
    std::function<void(Session&)> open = [](Session&) {};
    std::function<void(Session&, MessageView)> message = [](Session&, MessageView) {};
    std::function<void(Session&)> expiring = [](Session&) {};
    std::vector<std::string> log;
};

template <HubPolicy Policy = DefaultPolicy>
struct Told : NoopHandler {
    using SessionType = Session<MemoryConnection, Policy>;
    std::shared_ptr<Hooks<SessionType>> hooks = std::make_shared<Hooks<SessionType>>();

    void on_open(auto& session) { hooks->open(session); }
    void on_message(auto& session, MessageView message) { hooks->message(session, message); }
    void on_subscribed(auto&, Subscription const& told) {
        hooks->log.push_back((told.allowed ? "in " : "not in ") + std::string(told.topic) + " " +
                             std::to_string(told.position.offset));
    }
    void on_pressure(auto&) { hooks->log.push_back("pressure"); }
    void on_relief(auto&) { hooks->log.push_back("relief"); }
    void on_expiring(auto& session) {
        hooks->log.push_back("expiring");
        hooks->expiring(session);
    }
    void on_close(auto&, CloseInfo const& info) {
        hooks->log.push_back("closed " + std::to_string(static_cast<int>(info.code)));
    }
};

}  // namespace memory_world
