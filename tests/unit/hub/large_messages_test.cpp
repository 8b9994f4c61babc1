#include <set>
#include <string>
#include <vector>

#include "benchmarks/micro/hub_in_memory.hpp"
#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

namespace {

/// Takes everything, and remembers from where.
class WitnessConnection : public hub_in_memory::SwallowingConnection {
   public:
    struct Write {
        WitnessConnection* by;
        std::byte const* from;
        std::size_t bytes;
    };

    using SwallowingConnection::SwallowingConnection;
    WriteResult write(std::span<ws::Slice const> slices) {
        for (ws::Slice const& slice : slices) witnessed.push_back({this, slice.data(), slice.length});
        return SwallowingConnection::write(slices);
    }
    static inline std::vector<Write> witnessed;
};

struct Keeper : NoopHandler {
    std::vector<Session<WitnessConnection>*>* sessions;
    explicit Keeper(std::vector<Session<WitnessConnection>*>& kept) : sessions(&kept) {}
    void on_open(auto& session) { sessions->push_back(&session); }
};

HubOptions<> roomy() {
    HubOptions options;
    options.queue = {.bytes = 16u << 20, .messages = 1000, .high_bytes = 8u << 20};
    return options;
}

}  // namespace

TEST_CASE("A large message goes to a thousand without a copy, and small ones do not wait until all of it is written") {
    ManualLoop loop;
    std::vector<Session<WitnessConnection>*> sessions;
    Hub<WitnessConnection> hub(loop, Keeper{sessions}, roomy());
    for (int i = 0; i < 1001; ++i) hub.adopt(WitnessConnection::Socket{}, Upgrade{});
    while (loop.run_turn()) {}
    loop.run_events([&] {
        for (int i = 0; i < 1000; ++i) sessions[static_cast<std::size_t>(i)]->subscribe("large");
    });
    auto const pooled_before = hub.snapshot(0).pooled_bytes;
    WitnessConnection::witnessed.clear();

    Frame const frame = Frame::binary(std::vector<std::byte>(1 << 20));
    auto const wire = frame.wire();
    hub.publish("large", frame);
    hub.send(sessions[1000]->id(), Frame::text("small"));
    bool is_small_out = false;
    std::size_t all = 0, turns = 0;
    std::set<WitnessConnection*> receivers;
    while (loop.has_work()) {
        WitnessConnection::witnessed.clear();
        loop.run_turn();
        ++turns;
        std::size_t of_turn = 0;
        for (auto const& write : WitnessConnection::witnessed) {
            if (write.bytes == 7) {
                is_small_out = true;
                continue;
            }
            receivers.insert(write.by);
            REQUIRE(write.from >= wire.data());  // no byte is anywhere else
            REQUIRE(write.from + write.bytes <= wire.data() + wire.size());
            of_turn += write.bytes;
        }
        REQUIRE(is_small_out);                          // in the first turn
        REQUIRE(of_turn <= (1 << 20) + 8 * 32 * 1024);  // eight parts, and what little they left
        REQUIRE(hub.snapshot(0).pooled_bytes <= pooled_before + 1024);
        all += of_turn;
    }
    CHECK(all == 1000 * wire.size());
    CHECK(turns >= 1000);
    CHECK(receivers.size() == 1000);
    CHECK(hub.snapshot(0).pending == 0);
    CHECK(hub.snapshot(0).delivery.written == 1001);
    CHECK(hub.snapshot(0).pooled_bytes == pooled_before);
}

TEST_CASE(
    "What is large arrives whole and in order however the connection writes, and what is small is not behind it for others") {
    for (auto const mode : {MemoryMode::direct, MemoryMode::deferred, MemoryMode::records})
        for (std::size_t const room : {MemoryWire::unlimited, std::size_t{100'000}, std::size_t{300'001}}) {
            Told<> handler;
            handler.hooks->open = [](auto& session) { session.subscribe("room"); };
            World<Told<>> world(handler, 1, roomy());
            std::vector<std::shared_ptr<MemoryWire>> wires;
            for (int i = 0; i < 20; ++i) wires.push_back(world.connect(request, mode));
            for (auto const& wire : wires) {
                wire->received.clear();
                wire->room = room;
            }
            std::string expected;
            for (int i = 0; i < 5; ++i) {
                std::string const text(std::size_t{200'000} + static_cast<std::size_t>(i), static_cast<char>('a' + i));
                Frame const frame = Frame::text(text);
                expected.append(reinterpret_cast<char const*>(frame.wire().data()), frame.wire().size());
                world.hub.publish("room", frame);
                world.hub.publish("room", Frame::text("between"));
                expected.append("\x81\x07").append("between");
            }
            world.run();
            for (auto const& wire : wires)
                while (wire->received.size() < expected.size() && wire->room == 0) {
                    wire->room = room;
                    world.run();
                }
            for (auto const& wire : wires) CHECK(wire->received == expected);
            CHECK(world.sums().written == 200);
        }
}

TEST_CASE("A session that goes while its large messages wait for their turn is counted, and the others get theirs") {
    Told<> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("room"); };
    World<Told<>> world(handler, 1, roomy());
    std::vector<std::shared_ptr<MemoryWire>> wires;
    for (int i = 0; i < 40; ++i) wires.push_back(world.connect());
    std::size_t const before = wires[0]->received.size();
    Frame const frame = Frame::binary(std::vector<std::byte>(1 << 20));
    world.hub.publish("room", frame);
    for (int i = 0; i < 3; ++i) world.loops[0]->run_turn();
    for (std::size_t i = 0; i < wires.size(); i += 2) {
        CHECK(wires[i]->received.size() < before + frame.wire().size());
        wires[i]->lost = true;
    }
    world.run();
    for (std::size_t i = 1; i < wires.size(); i += 2) CHECK(wires[i]->received.size() == before + frame.wire().size());
    auto const sums = world.sums();
    CHECK(sums.written == 20);
    CHECK(sums.dropped[static_cast<std::size_t>(DropReason::session_closed)] == 20);
}

TEST_CASE("What came of a message that is not whole is charged to its shard") {
    Told<> handler;
    World<Told<>> world(handler);
    auto wire = world.connect();
    auto const before = world.hub.snapshot(0).pooled_bytes;
    std::string const bytes = ws::encode_frame(ws::ClientFrame::text(std::string(50'000, 'x')));
    wire->to_server = bytes.substr(0, 40'000);
    world.run();
    CHECK(world.hub.snapshot(0).pooled_bytes >= before + 39'000);
    CHECK(world.hub.snapshot(0).pooled_bytes <= before + 2 * 40'000);
    wire->to_server = bytes.substr(40'000);
    world.run();
    CHECK(world.hub.snapshot(0).pooled_bytes == before);
    CHECK(world.hub.snapshot(0).received == 1);
}
