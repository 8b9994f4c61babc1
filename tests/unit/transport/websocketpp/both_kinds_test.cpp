#include <memory>
#include <string>

#include <hubbub/transport/one_of.hpp>
#include <hubbub/transport/websocketpp/websocketpp_connection.hpp>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

namespace {
struct Room : NoopHandler {
    void on_open(auto& session) { session.subscribe("room"); }
    void on_message(auto& session, MessageView message) { session.publish("room", message); }
};
}  // namespace

TEST_CASE("One hub has sessions that read with hubbub and sessions that read with websocketpp, with one topic space") {
    using Both = OneOf<MemoryConnection, WebsocketppConnection<MemoryConnection>>;
    static_assert(ByteConnection<Both>);
    ManualLoop loop;
    Hub<Both> hub{loop, Room{}};
    std::shared_ptr<MemoryWire> wires[2];
    auto const go_on = [&] {
        for (bool did = true; did;) {
            did = loop.run_turn();
            for (std::size_t i = 0; i < 2; ++i) {
                MemoryDriver& driver = i == 0 ? hub.driver(0).first() : hub.driver(0).second();
                loop.run_events([&] {
                    if (auto* const endpoint = wires[i] ? driver.find(*wires[i]) : nullptr) did |= endpoint->deliver(1000);
                });
            }
        }
    };
    for (std::size_t i = 0; i < 2; ++i) {
        MemorySocket socket;
        wires[i] = socket.wire;
        wires[i]->to_server = request;
        hub.adopt(i == 0 ? Both::Socket(std::in_place_index<0>, std::move(socket))
                         : Both::Socket(std::in_place_index<1>, std::move(socket)));
        go_on();
    }
    for (std::size_t i = 0; i < 2; ++i) {
        wires[i]->to_server = ws::encode_frame(ws::ClientFrame::text("from " + std::to_string(i)));
        go_on();
    }
    for (auto const& wire : wires) CHECK(messages(*wire) == Messages{"from 0", "from 1"});

    // Each decoder refuses in its own words what breaks the protocol.
    std::string bad = ws::encode_frame(ws::ClientFrame::text("\xFF"));
    for (auto const& wire : wires) {
        wire->to_server = bad;
        go_on();
        CHECK(messages(*wire).back() == "close 1007");
    }
    CHECK(wires[0]->received.ends_with("text must be UTF-8"));
    CHECK_FALSE(wires[1]->received.ends_with("text must be UTF-8"));
}
