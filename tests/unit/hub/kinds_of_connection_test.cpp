#include <hubbub/transport/memory/memory_message_connection.hpp>
#include <hubbub/transport/one_of.hpp>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

namespace {

struct Chatty : NoopHandler {
    std::shared_ptr<Messages> log = std::make_shared<Messages>();
    void on_open(auto& session) { session.subscribe("room"); }
    void on_message(auto& session, MessageView message) {
        if (message.view() == "bye") return session.close(CloseCode::going_away, "bye");
        session.publish("room", message);
    }
    void on_close(auto&, CloseInfo const& info) { log->push_back(std::to_string(static_cast<int>(info.code))); }
};

}  // namespace

TEST_CASE("A hub runs over connections that bring messages") {
    ManualLoop loop;
    Chatty handler;
    Hub<MemoryMessageConnection> hub{loop, handler};
    std::vector<std::shared_ptr<MemoryWire>> wires;
    for (int i = 0; i < 3; ++i) {
        MemorySocket socket;
        wires.push_back(socket.wire);
        hub.adopt(std::move(socket), Upgrade{});
    }
    loop.run_until_idle();
    auto const run = [&] {
        for (bool did = true; did;) {
            did = false;
            for (auto& wire : wires)
                if (auto* endpoint = hub.driver(0).find(*wire)) {
                    loop.run_events([&] { did |= endpoint->deliver(1); });
                    if (hub.driver(0).find(*wire) == endpoint) loop.run_events([&] { did |= endpoint->make_progress(); });
                }
            did |= loop.run_turn();
        }
    };
    using Kind = MemoryWire::Event::Kind;
    wires[0]->events.push_back({Kind::message, ws::Opcode::text, {}, "hi"});
    run();
    for (auto& wire : wires) CHECK(wire->received == "\x81\x02hi");

    wires[1]->room = 1;
    wires[0]->events.push_back({Kind::message, ws::Opcode::binary, {}, "more"});
    run();
    CHECK(wires[1]->received == "\x81\x02hi\x82");
    wires[1]->room = MemoryWire::unlimited;
    run();
    CHECK(wires[1]->received == "\x81\x02hi\x82\x04more");

    wires[2]->events.push_back({Kind::close, ws::Opcode::close, CloseCode::normal, "done"});
    run();
    CHECK(wires[2]->received == std::string("\x81\x02hi\x82\x04more\x88\x06\x03\xe8") + "done");
    CHECK(wires[2]->server_closed);
    CHECK(*handler.log == Messages{"1000"});

    wires[0]->events.push_back({Kind::message, ws::Opcode::text, {}, "bye"});
    run();
    CHECK(wires[0]->received.ends_with(std::string("\x88\x05\x03\xe9") + "bye"));
    CHECK_FALSE(wires[0]->server_closed);  // the peer's Close is awaited
    wires[0]->events.push_back({Kind::close, ws::Opcode::close, CloseCode::going_away, ""});
    run();
    CHECK(wires[0]->server_closed);
    auto const sums = hub.snapshot(0);
    CHECK(sums.delivery.deliveries == sums.delivery.written + sums.delivery.all_dropped() + sums.pending);
    CHECK(sums.sessions == 1);

    for (int i = 0; i < 56; ++i) loop.run_for(std::chrono::seconds(1));
    CHECK(wires[1]->received.ends_with(std::string("\x89\0", 2)));
    wires[1]->events.push_back({Kind::pong, ws::Opcode::pong, {}, ""});
    run();
    for (int i = 0; i < 10; ++i) loop.run_for(std::chrono::seconds(1));
    CHECK(hub.snapshot(0).sessions == 1);
}

TEST_CASE("One hub has connections that bring bytes and such that bring messages, with one topic space") {
    using Both = OneOf<MemoryConnection, MemoryMessageConnection>;
    static_assert(EitherConnection<Both> && !MessageConnection<Both>);
    ManualLoop loop;
    Chatty handler;
    Hub<Both> hub{loop, handler};
    MemorySocket brings_bytes, brings_messages;
    auto const bytes = brings_bytes.wire, events = brings_messages.wire;
    bytes->to_server = request;
    auto const run = [&] {
        for (bool did = true; did;) {
            did = loop.run_turn();
            loop.run_events([&] {
                if (auto* endpoint = hub.driver(0).first().find(*bytes)) did |= endpoint->deliver(100);
            });
            loop.run_events([&] {
                if (auto* endpoint = hub.driver(0).second().find(*events)) did |= endpoint->deliver(1);
            });
        }
    };
    hub.adopt(Both::Socket(std::in_place_index<0>, std::move(brings_bytes)));
    hub.adopt(Both::Socket(std::in_place_index<1>, std::move(brings_messages)), Upgrade{});
    run();
    bytes->to_server = ws::encode_frame(ws::ClientFrame::text("from bytes"));
    run();
    using Kind = MemoryWire::Event::Kind;
    events->events.push_back({Kind::message, ws::Opcode::text, {}, "from an engine"});
    run();
    CHECK(messages(*bytes) == Messages{"from bytes", "from an engine"});
    CHECK(events->received ==
          "\x81\x0A"
          "from bytes\x81\x0E"
          "from an engine");

    // Each is pinged, and closed, in its way.
    for (int i = 0; i < 55; ++i) loop.run_for(std::chrono::seconds(1));
    CHECK(messages(*bytes).back() == "ping");
    CHECK(events->received.ends_with(std::string("\x89\0", 2)));
    hub.close(Target::all(), CloseCode::normal, "bye");
    run();
    CHECK(messages(*bytes).back() == "close 1000");
    CHECK(
        events->received.ends_with("\x88\x05\x03\xE8"
                                   "bye"));
    bytes->client_ended = true;
    events->events.push_back({Kind::close, ws::Opcode::close, CloseCode::normal, ""});
    run();
    CHECK(hub.snapshot(0).sessions == 0);
    CHECK(handler.log->size() == 2);
}
