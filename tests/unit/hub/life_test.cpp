#include <optional>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

namespace {

/// A policy that keeps the question, for the test to answer.
struct AskedAuth {
    static inline std::optional<Verdict<Authenticated>> open;
    void authenticate(http::Request const&, PeerAddress const&, Verdict<Authenticated> verdict) {
        open.emplace(std::move(verdict));
    }
};
struct AuthPolicy : DefaultPolicy {
    using Auth = AskedAuth;
};
struct AskedAccess {
    static inline std::vector<Verdict<Permission>> open;
    static inline bool at_once = false;
    void authorize(AuthorizationRequest const& request, Verdict<Permission> verdict) {
        if (at_once) return verdict.answer({request.topic != "secret"});
        open.push_back(std::move(verdict));
    }
};
struct AccessPolicy : DefaultPolicy {
    using Access = AskedAccess;
};

std::string status_of(MemoryWire const& wire) { return wire.received.substr(9, 3); }

}  // namespace

TEST_CASE("Authentication may answer later, and only then the client is upgraded") {
    Told<AuthPolicy> handler;
    std::string user;
    handler.hooks->open = [&](auto& session) { user = session.identity().user; };
    World<Told<AuthPolicy>, AuthPolicy> world(handler);
    auto wire = world.connect();
    CHECK(wire->received.empty());
    AskedAuth::open->answer(
        Authenticated::as({.user = "ada", .labels = {"staff", "staff"}, .expires_at = {}}));  // once is enough
    world.run();
    CHECK(status_of(*wire) == "101");
    CHECK(user == "ada");
    world.hub.publish(Target::user("ada"), Frame::text("to ada"));
    world.hub.publish(Target::label("staff"), Frame::text("to staff"));
    world.run();
    CHECK(messages(*wire).size() == 2);

    auto refused = world.connect();
    AskedAuth::open->answer(Authenticated::refused(http::Status::unauthorized, "who are you"));
    world.run();
    CHECK(status_of(*refused) == "401");
    CHECK(refused->received.ends_with("who are you\n"));

    auto forgotten = world.connect();
    AskedAuth::open.reset();
    world.run();
    CHECK(status_of(*forgotten) == "500");

    auto late = world.connect();
    world.pass(std::chrono::seconds(11));
    CHECK(late->was_reset);
    AskedAuth::open->answer(Authenticated::as({}));  // nobody is there any more
    world.run();
    AskedAuth::open.reset();
}

TEST_CASE("Who sends much before the verdict has to wait with the rest, and loses nothing") {
    Told<AuthPolicy> handler;
    std::size_t heard = 0;
    handler.hooks->message = [&](auto&, MessageView message) { heard += message.size(); };
    World<Told<AuthPolicy>, AuthPolicy> world(handler);
    auto wire = world.connect();
    for (int i = 0; i < 120; ++i) wire->to_server.append(ws::encode_frame(ws::ClientFrame::text(std::string(1000, 'x'))));
    world.run();
    CHECK(wire->received.empty());
    CHECK(wire->to_server.size() > 50'000);
    AskedAuth::open->answer(Authenticated::as({}));
    world.run();
    CHECK(status_of(*wire) == "101");
    CHECK(heard == 120'000);
    AskedAuth::open.reset();
}

TEST_CASE("A verdict that comes after the hub has gone does nothing") {
    std::optional<World<Told<AuthPolicy>, AuthPolicy>> world(std::in_place, Told<AuthPolicy>{});
    world->connect();
    world.reset();
    AskedAuth::open->answer(Authenticated::as({}));
    AskedAuth::open.reset();
}

TEST_CASE("An identity that expires ends its session with 4401") {
    Told<AuthPolicy> handler;
    World<Told<AuthPolicy>, AuthPolicy> world(handler);
    auto wire = world.connect();
    AskedAuth::open->answer(
        Authenticated::as({.user = "ada", .labels = {}, .expires_at = world.time.now + std::chrono::seconds(5)}));
    world.run();
    world.pass(std::chrono::seconds(9));  // with the grace of 5 s
    CHECK(messages(*wire).empty());
    world.pass(std::chrono::seconds(2));
    CHECK(messages(*wire) == Messages{"close 4401"});
    AskedAuth::open.reset();
}

TEST_CASE("A subscription waits for its permission, and its refusal is told") {
    AskedAccess::at_once = false;
    Told<AccessPolicy> handler;
    handler.hooks->open = [](auto& session) {
        session.subscribe("room");
        session.subscribe("secret");
    };
    World<Told<AccessPolicy>, AccessPolicy> world(handler);
    auto wire = world.connect();
    REQUIRE(AskedAccess::open.size() == 2);
    world.hub.publish("room", Frame::text("too early"));
    world.run();
    AskedAccess::open[1].answer({false});
    AskedAccess::open[0].answer({true});
    world.run();
    world.hub.publish("room", Frame::text("hello"));
    world.hub.publish("secret", Frame::text("psst"));
    world.run();
    CHECK(messages(*wire) == Messages{"hello"});
    CHECK(handler.hooks->log == Messages{"in room 0", "not in secret 0"});
    AskedAccess::open.clear();
}

TEST_CASE("A publication waits for its permission, and what comes behind it waits too") {
    AskedAccess::at_once = true;
    Told<AccessPolicy> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("room"); };
    handler.hooks->message = [](auto& session, MessageView message) { session.publish("room", message); };
    World<Told<AccessPolicy>, AccessPolicy> world(handler);
    auto wire = world.connect();
    world.say(*wire, "at once");
    AskedAccess::at_once = false;
    world.say(*wire, "one");
    world.say(*wire, "two");  // not even read: the session is paused
    REQUIRE(AskedAccess::open.size() == 1);
    CHECK(messages(*wire) == Messages{"at once"});
    AskedAccess::open[0].answer({true});
    world.run();
    REQUIRE(AskedAccess::open.size() == 2);
    AskedAccess::open[1].answer({false});
    world.run();
    CHECK(messages(*wire) == Messages{"at once", "one"});
    AskedAccess::open.clear();
}

TEST_CASE("Too many connections in all are 503, of one address 429, of one user 429, and every place is given back") {
    HubOptions<AuthPolicy> options;
    options.limits = {.in_all = 4, .per_address = 2, .per_user = 1};
    Told<AuthPolicy> handler;
    World<Told<AuthPolicy>, AuthPolicy> world(handler, 1, options);
    auto const from = [&](std::uint8_t last) {
        MemorySocket socket;
        auto wire = socket.wire;
        wire->peer.family = PeerAddress::Family::ipv4;
        wire->peer.bytes = {192, 0, 2, last};
        wire->to_server = request;
        world.wires.push_back(wire);
        world.hub.adopt(std::move(socket));
        world.run();
        return wire;
    };
    auto const admit = [&](std::string user) {
        AskedAuth::open->answer(Authenticated::as({.user = std::move(user), .labels = {}, .expires_at = {}}));
        world.run();
    };
    auto a = from(1);
    admit("ada");
    auto b = from(1);
    admit("bob");
    auto c = from(1);
    CHECK(status_of(*c) == "429");
    c->client_ended = true;
    auto d = from(2);
    admit("ada");
    CHECK(status_of(*d) == "429");
    d->client_ended = true;
    world.run();
    auto e = from(2), f = from(3), g = from(4);
    CHECK(status_of(*g) == "503");
    CHECK(g->received.find("Retry-After: 5\r\n") != std::string::npos);
    auto const snapshot = world.hub.snapshot(0);
    CHECK(snapshot.refused[static_cast<std::size_t>(ConnectionRefusal::limit)] == 3);
    for (auto& wire : {a, b, e, f, g}) wire->lost = true;
    world.run();
    auto h = from(1);
    admit("ada");
    CHECK(status_of(*h) == "101");
    AskedAuth::open.reset();
}

TEST_CASE("Subprotocols are chosen by the server's preference") {
    HubOptions options;
    options.protocols = {"v2", "v1"};
    Told<> handler;
    std::string chosen;
    handler.hooks->open = [&](auto& session) { chosen = session.protocol(); };
    World<Told<>> world(handler, 1, options);
    std::string offering(request);
    offering.insert(offering.size() - 2, "Sec-WebSocket-Protocol: v1, v2\r\n");
    auto wire = world.connect(offering);
    CHECK(chosen == "v2");
    CHECK(wire->received.find("Sec-WebSocket-Protocol: v2\r\n") != std::string::npos);
    world.connect();
    CHECK(chosen.empty());
}

TEST_CASE("A drain refuses who comes, sends what was accepted, closes in batches, and is told once for each who asked") {
    for (std::size_t const shards : {1u, 2u}) {
        Told<> handler;
        handler.hooks->open = [](auto& session) { session.subscribe("room"); };
        World<Told<>> world(handler, shards);
        std::vector<std::shared_ptr<MemoryWire>> wires;
        for (int i = 0; i < 10; ++i) wires.push_back(world.connect());
        world.hub.publish("room", Frame::text("last words"));
        int done = 0;
        DrainOptions options;
        options.per_second = 20;
        world.hub.drain(options, [&] { ++done; });
        world.hub.drain({}, [&] { ++done; });
        world.run();
        CHECK(status_of(*world.connect()) == "503");
        world.wires.back()->client_ended = true;
        world.pass(std::chrono::milliseconds(250));
        auto const closed = [&] {
            int count = 0;
            for (auto& wire : wires) count += !messages(*wire).empty() && messages(*wire).back() == "close 1012";
            return count;
        };
        CHECK(closed() > 0);
        CHECK(closed() < 10);
        for (int i = 0; i < 8; ++i) {
            world.pass(std::chrono::milliseconds(250));
            for (auto& wire : wires)
                if (messages(*wire).back() == "close 1012") wire->client_ended = true;
        }
        CHECK(closed() == 10);
        for (auto& wire : wires) CHECK(messages(*wire).front() == "last words");
        CHECK(done == 2);
        world.hub.drain({}, [&] { ++done; });
        world.run();
        CHECK(done == 3);
    }
}

TEST_CASE("A drain ends at its deadline, whoever does not answer") {
    Told<> handler;
    World<Told<>> world(handler);
    auto wire = world.connect();
    bool done = false;
    DrainOptions options;
    options.deadline = std::chrono::seconds(3);
    world.hub.drain(options, [&] { done = true; });
    world.pass(std::chrono::seconds(2));
    CHECK_FALSE(done);
    world.pass(std::chrono::seconds(2));
    CHECK(done);
    CHECK(wire->was_reset);
}

TEST_CASE("A drain does not wait for who was refused and stays, but for who has not been answered") {
    World<Told<>> world(Told<>{});
    CHECK(status_of(*world.connect("GET / HTTP/1.1\r\nHost: h\r\n\r\n")) == "404");
    auto late = world.connect("GET / HTTP/1.1\r\n");
    bool done = false;
    world.hub.drain({}, [&] { done = true; });
    world.run();
    CHECK_FALSE(done);
    late->to_server = "Host: h\r\n\r\n";
    world.run();
    CHECK(status_of(*late) == "404");
    CHECK(done);
}

TEST_CASE("A function can be posted to a session, and called after a time, while the session is there") {
    Told<> handler;
    SessionId id;
    handler.hooks->open = [&](auto& session) {
        id = session.id();
        session.after(std::chrono::seconds(2), [](auto& later) { later.send("after two seconds"); });
        session.after(std::chrono::seconds(60), [](auto&) { FAIL("the session has gone"); });
    };
    World<Told<>> world(handler);
    auto wire = world.connect();
    world.hub.post(id, [](auto& session) { session.send("posted"); });
    world.run();
    world.pass(std::chrono::seconds(1));
    CHECK(messages(*wire) == Messages{"posted"});
    world.pass(std::chrono::seconds(2));
    CHECK(messages(*wire) == Messages{"posted", "after two seconds"});
    wire->lost = true;
    world.run();
    world.hub.post(id, [](auto&) { FAIL("the session has gone"); });
    world.pass(std::chrono::seconds(70));
    CHECK(world.hub.send(id, Frame::text("x")) == PublishResult::accepted);
    world.run();
}

TEST_CASE("Reading can be paused and resumed, even inside the hook, and nothing is lost or doubled") {
    Told<> handler;
    handler.hooks->message = [](auto& session, MessageView message) {
        session.send(message);
        if (message.view() == "pause") {
            session.pause_reading();
            session.after(std::chrono::seconds(3), [](auto& later) { later.resume_reading(); });
        }
    };
    World<Told<>> world(handler);
    auto wire = world.connect();
    std::string bytes;
    for (auto const* text : {"a", "pause", "b", "c"}) bytes += ws::encode_frame(ws::ClientFrame::text(text));
    wire->to_server += bytes;
    world.run();
    world.say(*wire, "d");
    CHECK(messages(*wire) == Messages{"a", "pause"});
    world.pass(std::chrono::seconds(4));
    CHECK(messages(*wire) == Messages{"a", "pause", "b", "c", "d"});
}

TEST_CASE("A reader that takes nothing for the write limit is reset") {
    HubOptions options;
    options.write_limit = std::chrono::seconds(30);
    Told<> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("room"); };
    World<Told<>> world(handler, 1, options);
    auto wire = world.connect();
    wire->room = 1;
    world.hub.publish("room", Frame::text("hello"));
    world.run();
    for (int i = 0; i < 29; ++i) {
        world.pass(std::chrono::seconds(1));
        world.say(*wire, "I am alive");
    }
    CHECK_FALSE(wire->was_reset);
    world.pass(std::chrono::seconds(2));
    CHECK(wire->was_reset);
    CHECK(world.sums().dropped[static_cast<std::size_t>(DropReason::session_closed)] == 1);
}

TEST_CASE("A message that never becomes whole ends its session with 1008") {
    Told<> handler;
    World<Told<>> world(handler);
    auto wire = world.connect();
    wire->to_server += ws::encode_frame(ws::ClientFrame::text("hello")).substr(0, 5);
    world.run();
    for (int i = 0; i < 31; ++i) world.pass(std::chrono::seconds(1));
    CHECK(messages(*wire) == Messages{"close 1008"});
}

TEST_CASE("Idle and old sessions are closed where that is wanted") {
    HubOptions options;
    options.idle_limit = std::chrono::seconds(20);
    Told<> handler;
    World<Told<>> world(handler, 1, options);
    auto wire = world.connect();
    world.pass(std::chrono::seconds(15));
    world.say(*wire, "still here");
    world.pass(std::chrono::seconds(15));
    CHECK(messages(*wire).empty());
    world.pass(std::chrono::seconds(10));
    CHECK(messages(*wire) == Messages{"close 1001"});

    HubOptions ageing;
    ageing.lifetime_limit = std::chrono::seconds(40);
    World<Told<>> old(Told<>{}, 1, ageing);
    auto second = old.connect();
    old.pass(std::chrono::seconds(30));
    CHECK(messages(*second).empty());
    old.pass(std::chrono::seconds(11));
    CHECK(messages(*second) == Messages{"close 1012"});
}

TEST_CASE("A Broadcaster outlives the hub, and says closed then") {
    std::optional<World<Told<>>> world(std::in_place, Told<>{});
    auto const broadcaster = world->hub.broadcaster();
    CHECK(broadcaster.publish("room", "hello") == PublishResult::accepted);
    world.reset();
    CHECK(broadcaster.publish("room", "hello") == PublishResult::closed);
    CHECK(broadcaster.send({1, 1, {}}, Frame::text("x")) == PublishResult::closed);
}

TEST_CASE("A connection that somebody else has upgraded becomes a session, with and without a 101 of ours") {
    Told<> handler;
    handler.hooks->open = [](auto& session) { session.send("welcome"); };
    World<Told<>> world(handler);
    for (bool const sent : {false, true}) {
        MemorySocket socket;
        auto wire = socket.wire;
        world.wires.push_back(wire);
        Upgrade upgrade;
        if (!sent) upgrade.response = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
        world.hub.adopt(std::move(socket), std::move(upgrade));
        world.run();
        CHECK(wire->received == (sent ? "" : "HTTP/1.1 101 Switching Protocols\r\n\r\n") + std::string("\x81\x07welcome"));
    }
}

TEST_CASE("The sums of all shards can be collected from anywhere") {
    Told<> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("room"); };
    World<Told<>> world(handler, 3);
    for (int i = 0; i < 5; ++i) world.connect();
    world.hub.publish("room", Frame::text("x"));
    world.run();
    std::optional<ShardSnapshot> sums;
    world.hub.collect([&](HubSnapshot const& all) {
        CHECK(all.shards.size() == 3);
        CHECK(all.memory_limit == MemoryBudget::usual);
        sums = all.total();
    });
    world.run();
    REQUIRE(sums);
    CHECK(sums->sessions == 5);
    CHECK(sums->opened == 5);
    CHECK(sums->delivery.deliveries == 5);
    CHECK(sums->delivery.written == 5);
}
