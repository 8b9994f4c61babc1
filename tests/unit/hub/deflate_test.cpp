#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/testing/simulation.hpp>
#include <hubbub/ws/deflate/permessage_deflate.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/raw_deflate.hpp"

using namespace hubbub;
using namespace hubbub_test;
using namespace std::chrono_literals;

namespace {

struct Compressed : DefaultPolicy {
    using Compression = PermessageDeflate;
};

/// Subscribes to "news"; echoes what begins with "echo ", publishes the rest.
struct Room : NoopHandler {
    void on_open(auto& session) { session.subscribe("news"); }
    void on_message(auto& session, MessageView message) {
        if (message.view().starts_with("echo "))
            session.send(message);
        else if (message.view().starts_with("others "))
            session.publish_to_others("news", message);
        else
            session.publish("news", message);
    }
};

struct World {
    explicit World(ws::DeflateOptions const& compression = {}, std::size_t shards = 1)
        : sim(1, shards), hub(sim.hub<Compressed>(Room{}, options_of(compression))) {}

    static HubOptions<Compressed> options_of(ws::DeflateOptions const& compression) {
        HubOptions<Compressed> options;
        options.compression = compression;
        options.limits.per_address = 0;
        return options;
    }
    testing::Client connect(std::string_view offer = "permessage-deflate") {
        testing::ClientOptions options;
        if (!offer.empty()) {
            options.headers = "Sec-WebSocket-Extensions: " + std::string(offer) + "\r\n";
            options.inflate = [inflate = std::make_shared<RawInflate>()](std::string_view payload) {
                return (*inflate)(payload);
            };
        }
        auto client = sim.connect(hub, std::move(options));
        sim.run_until_idle();
        return client;
    }
    void send(testing::Client client, std::string_view payload, ws::Opcode opcode = ws::Opcode::text) {
        ws::ClientFrame frame = ws::ClientFrame::make(opcode, payload);
        frame.rsv = 4;
        client.send_bytes(ws::encode_frame(frame));
        sim.run_until_idle();
    }
    ShardSnapshot counts() {
        ShardSnapshot all;
        for (std::size_t i = 0; i < sim.loops().size(); ++i) all += hub.snapshot(i);
        CHECK(all.delivery.deliveries == all.delivery.written + all.delivery.all_dropped() + all.pending);
        return all;
    }

    testing::Simulation sim;
    Hub<MemoryConnection, Compressed> hub;
};

bool has_extension(testing::Client const& client) {
    return client.wire().received.find("Sec-WebSocket-Extensions: permessage-deflate") != std::string::npos;
}

}  // namespace

TEST_CASE("A publication is compressed once, however many sessions it goes to") {
    World world;
    std::vector<testing::Client> clients;
    for (int i = 0; i < 100; ++i) clients.push_back(world.connect());
    auto const plain = world.connect("");
    std::string const text = prose(2000);
    clients[0].send_text(text);
    world.sim.run_until_idle();
    for (auto const& client : clients) {
        CHECK(client.texts() == std::vector{text});
        CHECK(client.stream().compressed() == 1);
    }
    CHECK(plain.texts() == std::vector{text});
    CHECK_FALSE(has_extension(plain));
    CHECK(plain.stream().compressed() == 0);
    CHECK(clients[0].wire().received.size() < plain.wire().received.size() / 2);
    CHECK(world.counts().compression.compressed == 1);
    CHECK(world.counts().delivery.written == 101);
}

TEST_CASE("A publication is compressed once for each window that was agreed on, and on each shard") {
    World world({}, 2);
    std::vector<testing::Client> clients;
    for (auto const* offer : {"permessage-deflate", "permessage-deflate; client_max_window_bits",
                              "permessage-deflate; server_max_window_bits=10", "permessage-deflate; server_max_window_bits=8"})
        for (int i = 0; i < 4; ++i) clients.push_back(world.connect(offer));  // on one shard and the other, in turn
    std::string const text = prose(3000);
    clients[0].send_text(text);
    world.sim.run_until_idle();
    for (auto const& client : clients) {
        CHECK(client.texts() == std::vector{text});
        CHECK(client.stream().compressed() == 1);
    }
    CHECK(world.counts().compression.compressed == 6);
}

TEST_CASE("What is small, or would not become shorter, is sent as it is") {
    ws::DeflateOptions options;
    options.threshold = 100;
    World world(options);
    auto const client = world.connect();
    std::string const small = prose(99), just = prose(100), wild = noise(50'000);
    auto sender = world.connect("");
    sender.send_text(small);
    sender.send_text(just);
    sender.send(MessageView::binary(bytes_of(wild)));
    sender.send_text("");
    world.sim.run_until_idle();
    CHECK(client.texts() == std::vector<std::string>{small, just, wild, ""});
    CHECK(client.stream().compressed() == 1);
    CHECK(world.counts().compression.compressed == 2);
}

TEST_CASE("Exclusions, direct sends and joins in mid-turn are exact for who is compressed") {
    World world;
    auto a = world.connect(), b = world.connect(), plain = world.connect("");
    auto const text = [](std::string const& what) { return what + prose(500); };
    // One turn: all of it is in one run, with parts.
    a.send_text(text("1 "));
    a.send_text(text("others 2 "));
    a.send_text(text("3 "));
    a.send_text(text("echo 4 "));
    a.send_text(text("others 5 "));
    a.send_text(text("6 "));
    world.sim.run_until_idle();
    CHECK(a.texts() == std::vector{text("1 "), text("3 "), text("echo 4 "), text("6 ")});
    CHECK(b.texts() == std::vector{text("1 "), text("others 2 "), text("3 "), text("others 5 "), text("6 ")});
    CHECK(plain.texts() == b.texts());
    CHECK(a.stream().compressed() == 4);
    CHECK(b.stream().compressed() == 5);
    CHECK(world.counts().compression.compressed == 6);  // five publications and the echo
    a.close();
    world.sim.run_until_idle();
    b.send_text(text("7 "));
    world.sim.run_until_idle();
    CHECK(plain.texts().back() == text("7 "));
    CHECK(b.texts().back() == text("7 "));
}

TEST_CASE("A large publication is shared plain and compressed, over both paths") {
    World world;
    auto a = world.connect(), plain = world.connect("");
    auto const frame = Frame::text(prose(30'000)), incompressible = Frame::binary(bytes_of(noise(20'000)));
    world.hub.broadcaster().publish("news", frame);
    world.hub.broadcaster().publish("news", incompressible);
    world.sim.run_until_idle();
    CHECK(a.texts() == std::vector{prose(30'000), noise(20'000)});
    CHECK(plain.texts() == a.texts());
    CHECK(a.stream().compressed() == 1);
}

TEST_CASE("Messages of a client are inflated, in one frame or in many, with its context where that was agreed on") {
    for (bool const takeover : {false, true}) {
        ws::DeflateOptions options;
        options.client_takeover = takeover;
        World world(options);
        auto client = world.connect();
        CHECK((client.wire().received.find("client_no_context_takeover") == std::string::npos) == takeover);
        RawDeflate deflate;
        std::vector<std::string> said;
        for (std::size_t const size : {5u, 300u, 300u, 40'000u, 0u, 300u}) {
            if (!takeover) deflate.forget();
            said.push_back("echo " + prose(size));
            world.send(client, deflate(said.back()));
        }
        if (!takeover) deflate.forget();
        said.push_back("echo " + prose(1000, 9));
        std::string const payload = deflate(said.back());
        for (std::size_t at = 0; at < payload.size(); at += 50) {
            auto frame = ws::ClientFrame::make(at ? ws::Opcode::continuation : ws::Opcode::text,
                                               std::string_view(payload).substr(at, 50));
            frame.rsv = at ? 0 : 4;
            frame.fin = at + 50 >= payload.size();
            client.send_bytes(ws::encode_frame(frame));
            client.ping("between");
        }
        said.push_back("echo plain");
        client.send_text(said.back());
        world.sim.run_until_idle();
        CHECK(client.texts() == said);
        CHECK(world.counts().compression.inflated == said.size() - 1);
    }
}

TEST_CASE("What cannot be inflated, is too big or is no text closes the session with a code that says so") {
    auto const closed_with = [](std::function<void(World&, testing::Client)> const& act,
                                std::string_view offer = "permessage-deflate") {
        World world;
        auto client = world.connect(offer);
        act(world, client);
        world.sim.run_for(10s);
        REQUIRE(client.close_seen());
        CHECK(client.texts().empty());
        return static_cast<unsigned>(client.close_seen()->code);
    };
    using C = testing::Client;
    CHECK(closed_with([](World& world, C client) { world.send(client, "\xFF\xFF"); }) == 1007);
    CHECK(closed_with([](World& world, C client) { world.send(client, RawDeflate()(std::string(65'537, 'x'))); }) == 1009);
    CHECK(closed_with([](World& world, C client) { world.send(client, RawDeflate()(std::string(40'000'000, 'x'))); }) == 1009);
    CHECK(closed_with([](World& world, C client) { world.send(client, RawDeflate()("no \xFF text")); }) == 1007);
    CHECK(closed_with([](World& world, C client) { world.send(client, RawDeflate()("x"), ws::Opcode::ping); }) == 1002);
    CHECK(closed_with([](World& world, C client) { world.send(client, RawDeflate()("x")); }, "") == 1002);
    CHECK(closed_with([](World&, C client) { client.send_text(std::string(65'537, 'x')); }) == 1009);
}

TEST_CASE("The largest message passes however it is sent") {
    World world;
    auto client = world.connect();
    std::string const text = std::string("echo ") + noise(65'531);
    world.send(client, RawDeflate(15, 0)(text), ws::Opcode::binary);  // stored: a little longer than plain
    client.send(MessageView::binary(bytes_of(text)));
    world.send(client, RawDeflate()("echo " + std::string(65'531, 'x')));
    world.sim.run_until_idle();
    CHECK(client.texts() == std::vector{text, text, "echo " + std::string(65'531, 'x')});
}

TEST_CASE("Memory for compression is there when it is needed, and given back when it is idle") {
    ws::DeflateOptions options;
    options.client_takeover = true;
    World world(options);
    auto client = world.connect();
    CHECK(world.counts().compression.bytes == 0);
    RawDeflate deflate;
    world.send(client, deflate(prose(50'000)));
    std::size_t const busy = world.counts().compression.bytes;
    CHECK(busy > 32 * 1024);
    world.sim.run_for(30s);
    CHECK(world.counts().compression.bytes == 32 * 1024);  // what the client may refer to
    world.send(client, deflate(prose(50'000)));
    CHECK(client.texts() == std::vector{prose(50'000), prose(50'000)});
    client.close();
    world.sim.run_for(30s);
    CHECK(world.counts().compression.bytes == 0);
}

TEST_CASE("Windows of clients are charged to the budget, and who keeps one can be shed for it") {
    HubOptions<Compressed> options = World::options_of({});
    options.compression.client_takeover = true;
    options.memory = std::make_shared<MemoryBudget>(1u << 20);
    testing::Simulation sim(1);
    auto hub = sim.hub<Compressed>(NoopHandler{}, options);
    std::vector<testing::Client> clients;
    for (int i = 0; i < 60; ++i) {
        testing::ClientOptions client;
        client.headers = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
        clients.push_back(sim.connect(hub, client));
        sim.run_until_idle();
        auto frame = ws::ClientFrame::make(ws::Opcode::binary, {});
        std::string const payload = RawDeflate()(noise(40'000));
        frame.payload = bytes_of(payload);
        frame.rsv = 4;
        clients.back().send_bytes(ws::encode_frame(frame));
        sim.run_until_idle();
        CHECK(options.memory->used() <= (1u << 20) + 256 * 1024);
    }
    std::size_t shed = 0, refused = 0;
    for (auto const& client : clients) {
        shed += client.close_seen() && client.close_seen()->code == CloseCode::try_again_later;
        refused += client.status() == 503;
    }
    CHECK(shed + refused > 20);
    auto const left = hub.snapshot(0);
    CHECK(left.compression.bytes <= 1u << 20);
    CHECK(left.compression.bytes > 300 * 1024);
}

TEST_CASE("A handshake without a valid offer opens a plain session, and a malformed header is refused") {
    World world;
    auto const offered = [&](std::string_view offer) { return world.connect(offer); };
    CHECK(has_extension(offered("permessage-deflate")));
    CHECK(has_extension(offered("x, permessage-deflate; server_max_window_bits=16, permessage-deflate")));
    auto const declined = offered("permessage-deflate; server_max_window_bits=16");
    CHECK(declined.status() == 101);
    CHECK_FALSE(has_extension(declined));
    CHECK(offered("permessage-deflate;").status() == 400);
    testing::ClientOptions two;
    two.headers = "Sec-WebSocket-Extensions: permessage-deflate; x\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
    auto const client = world.sim.connect(world.hub, two);
    world.sim.run_until_idle();
    CHECK(has_extension(client));
}

TEST_CASE("Without a policy of compression every offer is ignored, whatever is in it") {
    testing::Simulation sim(1);
    auto hub = sim.hub(Room{});
    for (auto const* offer : {"permessage-deflate", "permessage-deflate;", "; =", ""}) {
        testing::ClientOptions options;
        options.headers = "Sec-WebSocket-Extensions: " + std::string(offer) + "\r\n";
        auto client = sim.connect(hub, options);
        sim.run_until_idle();
        CHECK(client.status() == 101);
        CHECK_FALSE(has_extension(client));
    }
}

TEST_CASE("Whoever shakes hands elsewhere hands over what was agreed") {
    World world;
    MemorySocket socket;
    auto const wire = socket.wire;
    Upgrade upgrade;
    upgrade.compression = {.agreed = true, .server_takeover = true, .client_takeover = false};
    world.hub.adopt(std::move(socket), std::move(upgrade));
    world.sim.run_until_idle();
    auto other = world.connect("");
    other.send_text(prose(1000));
    world.sim.run_until_idle();
    std::string const& got = wire->received;
    REQUIRE(got.size() > 4);
    CHECK(static_cast<unsigned char>(got[0]) == 0xC1);
    CHECK(RawInflate()(std::string_view(got).substr(4)) == prose(1000));
}

TEST_CASE("Options of compression that make no sense are refused with a sentence") {
    auto const refused = [](auto change) {
        HubOptions<Compressed> options;
        change(options.compression);
        std::string sentence;
        try {
            options.check();
        } catch (std::invalid_argument const& wrong) {
            sentence = wrong.what();
        }
        CHECK(sentence.starts_with("HubOptions::compression."));
    };
    CHECK_NOTHROW(HubOptions<Compressed>().check());
    refused([](auto& it) { it.level = 0; });
    refused([](auto& it) { it.level = 10; });
    refused([](auto& it) { it.memory_level = 0; });
    refused([](auto& it) { it.threshold = 0; });
    refused([](auto& it) { it.server_window_bits = 7; });
    refused([](auto& it) { it.server_window_bits = 16; });
    refused([](auto& it) { it.client_window_bits = 7; });
    refused([](auto& it) { it.client_window_bits = 16; });
}

static_assert(sizeof(Session<MemoryConnection, Compressed>) <= sizeof(Session<MemoryConnection>) + 16);
