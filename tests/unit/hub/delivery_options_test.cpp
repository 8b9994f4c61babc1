#include <functional>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

TEST_CASE("A newer message takes the place of the queued one with the same key") {
    using Policy = Overflowing<LatestPerKey>;
    Told<Policy> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("prices"); };
    World<Told<Policy>, Policy> world(handler);
    auto wire = world.connect();
    wire->room = 0;
    auto const tick = [&](std::string_view text, std::uint64_t key) {
        world.hub.publish("prices", Frame::text(text), {.key = key});
        world.run();
    };
    tick("a1", 1), tick("b1", 2), tick("a2 longer", 1), tick("none", 0), tick("b2", 2), tick("a3", 1);
    wire->room = MemoryWire::unlimited;
    world.run();
    CHECK(messages(*wire) == Messages{"a3", "b2", "none"});
    CHECK(world.sums().dropped[static_cast<std::size_t>(DropReason::superseded)] == 3);
}

TEST_CASE("Messages with one key conflate inside the turn, and each is accounted to each subscriber") {
    using Policy = Overflowing<LatestPerKey>;
    Told<Policy> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("prices"); };
    handler.hooks->message = [](auto& session, MessageView) {
        for (char c = '0'; c < '9'; ++c)
            session.publish("prices", MessageView::text(std::string(3, c)), {.key = static_cast<std::uint64_t>(1 + c % 2)});
    };
    World<Told<Policy>, Policy> world(handler);
    auto one = world.connect(), two = world.connect();
    world.say(*one, "go");
    CHECK(messages(*one) == Messages{"888", "777"});
    CHECK(messages(*two) == Messages{"888", "777"});
    CHECK(world.sums().deliveries == 18);
}

TEST_CASE("A message that has outlived its time is not sent") {
    Told<> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("news"); };
    World<Told<>> world(handler);
    auto wire = world.connect();
    wire->room = 0;
    world.hub.publish("news", Frame::text("first"));
    world.run();
    world.hub.publish("news", Frame::text("soon old"), {.expires_in = std::chrono::seconds(2)});
    world.hub.publish("news", Frame::text("lasting"), {.expires_in = std::chrono::seconds(20)});
    world.run();
    world.pass(std::chrono::seconds(5));
    wire->room = MemoryWire::unlimited;
    world.run();
    CHECK(messages(*wire) == Messages{"first", "lasting"});
    CHECK(world.sums().dropped[static_cast<std::size_t>(DropReason::expired)] == 1);
}

TEST_CASE("The watermarks tell once each way") {
    HubOptions options;
    options.queue = {.bytes = 1000, .messages = 100, .high_bytes = 400, .low_bytes = 100};
    Told<> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("room"); };
    World<Told<>> world(handler, 1, options);
    auto wire = world.connect();
    handler.hooks->log.clear();
    wire->room = 0;
    for (int i = 0; i < 6; ++i) {
        world.hub.publish("room", Frame::text(std::string(98, 'x')));
        world.run();
    }
    CHECK(handler.hooks->log == Messages{"pressure"});
    wire->room = 300;
    world.run();
    CHECK(handler.hooks->log == Messages{"pressure"});
    wire->room = MemoryWire::unlimited;
    world.run();
    CHECK(handler.hooks->log == Messages{"pressure", "relief"});
}

namespace {
struct Noticing {
    std::optional<Frame> gap_notice(std::uint64_t missed) const { return Frame::text("missed " + std::to_string(missed)); }
};
struct NoticingPolicy : Overflowing<DropNewest> {
    using Codec = Noticing;
};
}  // namespace

TEST_CASE("A session that keeps up again is told how many it missed, exactly once") {
    HubOptions<NoticingPolicy> options;
    options.queue = {.bytes = 10'000, .messages = 3, .high_bytes = 9'000, .low_bytes = 100};
    Told<NoticingPolicy> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("room"); };
    World<Told<NoticingPolicy>, NoticingPolicy> world(handler, 1, options);
    auto wire = world.connect();
    wire->room = 0;
    for (int i = 0; i < 10; ++i) {
        world.hub.publish("room", Frame::text(std::to_string(i)));
        world.run();
    }
    wire->room = MemoryWire::unlimited;
    world.run();
    world.hub.publish("room", Frame::text("on"));
    world.run();
    CHECK(messages(*wire) == Messages{"0", "1", "2", "missed 7", "on"});
    world.sums();
}

namespace {
struct LogsDropOldest {
    TopicOptions options_for(std::string_view name) const {
        return name.starts_with("log/") ? TopicOptions{OverflowAction::drop_oldest} : TopicOptions{};
    }
};
struct LogPolicy : Overflowing<DropNewest> {
    using Topics = LogsDropOldest;
};
}  // namespace

TEST_CASE("A topic's own option decides instead of the policy, and evicts only its own messages") {
    HubOptions<LogPolicy> options;
    options.queue = {.bytes = 10'000, .messages = 3, .high_bytes = 9'000, .low_bytes = 100};
    Told<LogPolicy> handler;
    handler.hooks->open = [](auto& session) {
        session.subscribe("log/a");
        session.subscribe("chat");
    };
    World<Told<LogPolicy>, LogPolicy> world(handler, 1, options);
    auto wire = world.connect();
    wire->room = 0;
    for (auto const* text : {"l1", "c1", "l2", "l3", "c2", "l4"}) {
        world.hub.publish(text[0] == 'l' ? "log/a" : "chat", Frame::text(text));
        world.run();
    }
    wire->room = MemoryWire::unlimited;
    world.run();
    CHECK(messages(*wire) == Messages{"c1", "l3", "l4"});
    world.sums();
}

TEST_CASE("A receipt says what became of exactly that message, on all shards") {
    using Policy = Overflowing<DropNewest>;
    HubOptions<Policy> options;
    options.queue = {.bytes = 10'000, .messages = 2, .high_bytes = 9'000, .low_bytes = 100};
    for (std::size_t const shards : {1u, 3u}) {
        Told<Policy> handler;
        handler.hooks->open = [](auto& session) { session.subscribe("room"); };
        World<Told<Policy>, Policy> world(handler, shards, options);
        std::vector<std::shared_ptr<MemoryWire>> wires;
        for (int i = 0; i < 7; ++i) wires.push_back(world.connect());
        wires[2]->room = wires[3]->room = 0;
        for (int i = 0; i < 2; ++i) {
            world.hub.publish("room", Frame::text("fill"));
            world.run();
        }
        std::vector<PublishReceipt> receipts;
        world.hub.publish("room", Frame::text("asked"),
                          {.on_receipt = [&](PublishReceipt const& receipt) { receipts.push_back(receipt); }});
        world.run();
        REQUIRE(receipts.size() == 1);
        CHECK(receipts[0].subscribers == 7);
        CHECK(receipts[0].queued == 5);
        CHECK(receipts[0].dropped[static_cast<std::size_t>(DropReason::slow_consumer)] == 2);
        CHECK(receipts[0].position.offset == 3);
        world.hub.publish("nobody is here", Frame::text("asked"),
                          {.on_receipt = [&](PublishReceipt const& receipt) { receipts.push_back(receipt); }});
        world.run();
        REQUIRE(receipts.size() == 2);
        CHECK(receipts[1].subscribers == 0);
        world.sums();
    }
}

TEST_CASE("All, a label and one session can be published to") {
    for (std::size_t const shards : {1u, 2u}) {
        Told<> handler;
        std::vector<SessionId> ids;
        handler.hooks->open = [&ids](auto& session) {
            if (ids.size() % 2 == 0) session.add_label("even");
            ids.push_back(session.id());
        };
        World<Told<>> world(handler, shards);
        std::vector<std::shared_ptr<MemoryWire>> wires;
        for (int i = 0; i < 4; ++i) wires.push_back(world.connect());
        world.hub.publish(Target::all(), Frame::text("all"));
        world.run();  // two topics may have two owners, and no order between them
        world.hub.publish(Target::label("even"), Frame::text("even"));
        world.hub.publish(Target::label("odd"), Frame::text("odd"));
        world.run();
        world.hub.send(ids[1], Frame::text("you"));
        world.hub.publish(Target::all(), Frame::text("others"), {.except = ids[1]});
        world.run();
        CHECK(messages(*wires[0]) == Messages{"all", "even", "others"});
        CHECK(messages(*wires[1]) == Messages{"all", "you"});
        CHECK(messages(*wires[2]) == Messages{"all", "even", "others"});
        world.hub.close(Target::label("even"), CloseCode::policy_violation, "out");
        world.run();
        CHECK(messages(*wires[0]).back() == "close 1008");
        CHECK(messages(*wires[1]).back() == "you");
        world.sums();
    }
}

TEST_CASE("A message that could never fit is refused whole") {
    HubOptions options;
    options.queue = {.bytes = 200, .messages = 10, .high_bytes = 150, .low_bytes = 10};
    Told<> handler;
    std::vector<int> results;
    handler.hooks->message = [&](auto& session, MessageView) {
        results.push_back(static_cast<int>(session.send(std::string(300, 'x'))));
        results.push_back(static_cast<int>(session.publish("room", std::string(300, 'x'))));
        results.push_back(static_cast<int>(session.send("fits")));
    };
    World<Told<>> world(handler, 1, options);
    auto wire = world.connect();
    world.say(*wire, "go");
    CHECK(results == std::vector<int>{static_cast<int>(SendResult::too_big), static_cast<int>(PublishResult::too_big),
                                      static_cast<int>(SendResult::queued)});
    CHECK(world.hub.publish("room", Frame::text(std::string(300, 'x'))) == PublishResult::too_big);
    CHECK(messages(*wire) == Messages{"fits"});
}

TEST_CASE("A mailbox that is full says busy, and loses nothing that it took") {
    HubOptions options;
    options.mailbox = {.bytes = 4096, .letters = 5};
    Told<> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("room"); };
    World<Told<>> world(handler, 1, options);
    auto wire = world.connect();
    std::vector<PublishResult> results;
    for (int i = 0; i < 7; ++i) results.push_back(world.hub.publish("room", Frame::text(std::to_string(i))));
    CHECK(std::count(results.begin(), results.end(), PublishResult::accepted) == 5);
    CHECK(std::count(results.begin(), results.end(), PublishResult::busy) == 2);
    world.run();
    CHECK(messages(*wire) == Messages{"0", "1", "2", "3", "4"});
    CHECK(world.hub.publish("room", Frame::text("again")) == PublishResult::accepted);
}

TEST_CASE("A subscription is told with its position, in the order of the topic") {
    for (std::size_t const shards : {1u, 2u}) {
        Told<> handler;
        handler.hooks->message = [](auto& session, MessageView message) { session.subscribe(message.view()); };
        World<Told<>> world(handler, shards);
        auto first = world.connect(), second = world.connect();
        world.say(*first, "room");
        world.hub.publish("room", Frame::text("1"));
        world.hub.publish("room", Frame::text("2"));
        world.run();
        world.say(*second, "room");
        CHECK(handler.hooks->log == Messages{"in room 0", "in room 2"});
        CHECK(messages(*second).empty());
    }
}

TEST_CASE("Names that are no topics are refused, and a session has a limit of topics") {
    HubOptions options;
    options.subscriptions = 2;
    Told<> handler;
    std::vector<SubscribeResult> results;
    handler.hooks->open = [&](auto& session) {
        for (auto const& name : {std::string(), std::string(256, 'x'), std::string("\0a", 2), std::string("one"),
                                 std::string("one"), std::string("two"), std::string("three")})
            results.push_back(session.subscribe(name));
    };
    World<Told<>> world(handler, 1, options);
    world.connect();
    using R = SubscribeResult;
    CHECK(results == std::vector<R>{R::malformed_name, R::malformed_name, R::malformed_name, R::started, R::already, R::started,
                                    R::too_many});
    CHECK(world.hub.publish(std::string("\0a", 2), Frame::text("x")) == PublishResult::malformed_name);
}
