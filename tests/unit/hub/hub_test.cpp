#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

namespace {

struct Log {
    int opened = 0, closed = 0;
    std::vector<CloseInfo> ends;
};

/// Says in words what a client asks for: "join T", "leave T", "say T words", "others T words", "echo words", "bye", "throw".
struct Words : NoopHandler {
    Log* log;
    explicit Words(Log& to) : log(&to) {}
    void on_open(auto&) { ++log->opened; }
    void on_close(auto&, CloseInfo const& info) {
        ++log->closed;
        log->ends.push_back(info);
    }
    void on_message(auto& session, MessageView message) {
        std::string_view const all = message.view();
        auto const verb = all.substr(0, all.find(' '));
        auto const rest = all.size() > verb.size() ? all.substr(verb.size() + 1) : std::string_view();
        auto const topic = rest.substr(0, rest.find(' '));
        auto const words = rest.size() > topic.size() ? rest.substr(topic.size() + 1) : std::string_view();
        if (verb == "join") session.subscribe(topic);
        if (verb == "leave") session.unsubscribe(topic);
        if (verb == "say") session.publish(topic, words);
        if (verb == "others") session.publish_to_others(topic, words);
        if (verb == "echo") session.send(rest);
        if (verb == "bye") session.close(CloseCode::going_away, "bye");
        if (verb == "throw") throw 1;
    }
};

template <HubPolicy Policy = DefaultPolicy>
struct Worded : World<Words, Policy> {
    explicit Worded(std::size_t shards = 1, HubOptions<Policy> options = {})
        : Worded(std::make_unique<Log>(), shards, std::move(options)) {}
    Log& log;

   private:
    Worded(std::unique_ptr<Log> owned, std::size_t shards, HubOptions<Policy> options)
        : World<Words, Policy>(Words{*owned}, shards, std::move(options)), log(*owned), owned_(std::move(owned)) {}
    std::unique_ptr<Log> owned_;
};

}  // namespace

TEST_CASE("A client is upgraded and gets an answer in every mode of writing") {
    for (auto const mode : {MemoryMode::direct, MemoryMode::deferred, MemoryMode::records}) {
        Worded<> world;
        auto wire = world.connect(request, mode);
        world.say(*wire, "echo hello");
        CHECK(messages(*wire) == Messages{"hello"});
        CHECK(world.log.opened == 1);
        world.sums();
    }
}

TEST_CASE("A publication reaches the members on every shard and nobody else") {
    for (std::size_t const shards : {1u, 2u, 3u}) {
        Worded<> world(shards);
        std::vector<std::shared_ptr<MemoryWire>> clients;
        for (int i = 0; i < 6; ++i) clients.push_back(world.connect());
        for (std::size_t i = 0; i < 4; ++i) world.say(*clients[i], "join room");
        world.say(*clients[0], "say room one");
        world.say(*clients[5], "say room two");
        world.say(*clients[1], "leave room");
        world.say(*clients[2], "others room three");
        CHECK(messages(*clients[0]) == Messages{"one", "two", "three"});
        CHECK(messages(*clients[1]) == Messages{"one", "two"});
        CHECK(messages(*clients[2]) == Messages{"one", "two"});
        CHECK(messages(*clients[3]) == Messages{"one", "two", "three"});
        CHECK(messages(*clients[4]).empty());
        CHECK(messages(*clients[5]).empty());
        CHECK(world.sums().written == 10);
    }
}

TEST_CASE("Who subscribes and publishes in one go gets its own message, on the owner's shard and elsewhere") {
    Worded<> world(3);
    for (int i = 0; i < 9; ++i) {
        auto wire = world.connect();
        for (auto const* text : {"join room", "say room mine"}) {
            auto const bytes = ws::encode_frame(ws::ClientFrame::text(text));
            wire->to_server.append(bytes);
        }
        world.run();
        CHECK(messages(*wire) == Messages{"mine"});
        world.say(*wire, "leave room");
    }
}

TEST_CASE("A direct send comes behind what its receiver's topics published before") {
    Worded<> world;
    auto wire = world.connect();
    for (auto const* text : {"join room", "say room first", "echo second", "say room third"}) {
        auto const bytes = ws::encode_frame(ws::ClientFrame::text(text));
        wire->to_server.append(bytes);
    }
    world.run();
    CHECK(messages(*wire) == Messages{"first", "second", "third"});
}

TEST_CASE("A stalled reader is disconnected with 1013 when its queue is full, and delays nobody") {
    HubOptions<Overflowing<Disconnect>> options;
    options.queue = {.bytes = 1000, .messages = 8};
    Worded<Overflowing<Disconnect>> world(1, options);
    auto stalled = world.connect(), healthy = world.connect();
    world.say(*stalled, "join room");
    world.say(*healthy, "join room");
    stalled->room = 2;  // half of the first message
    for (int i = 0; i < 20; ++i) world.say(*healthy, "say room " + std::to_string(i));
    CHECK(messages(*healthy).size() == 20);
    CHECK(world.log.closed == 0);  // it may still read the Close
    stalled->room = MemoryWire::unlimited;
    world.run();
    CHECK(messages(*stalled).back() == "close 1013");
    world.pass(std::chrono::seconds(6));
    CHECK(stalled->was_reset);
    REQUIRE(world.log.ends.size() == 1);
    CHECK(world.log.ends[0].code == CloseCode::try_again_later);
    CHECK(world.log.ends[0].by == CloseInfo::By::us);
    auto const sums = world.sums();
    CHECK(sums.deliveries == 20 + 9);  // eight fit, the ninth ended it
    CHECK(sums.dropped[0] == 1);
}

TEST_CASE("DropOldest keeps the newest messages within the limit") {
    HubOptions<Overflowing<DropOldest>> options;
    options.queue = {.bytes = 100'000, .messages = 5};
    Worded<Overflowing<DropOldest>> world(1, options);
    auto stalled = world.connect(), healthy = world.connect();
    world.say(*stalled, "join room");
    stalled->room = 0;
    for (int i = 0; i < 12; ++i) world.say(*healthy, "say room " + std::to_string(i));
    CHECK(world.hub.snapshot(0).pending == 5);
    stalled->room = MemoryWire::unlimited;
    world.run();
    CHECK(messages(*stalled) == Messages{"7", "8", "9", "10", "11"});
    CHECK(world.sums().dropped[0] == 7);
}

TEST_CASE("DropNewest keeps what is queued") {
    HubOptions<Overflowing<DropNewest>> options;
    options.queue = {.bytes = 100'000, .messages = 5};
    Worded<Overflowing<DropNewest>> world(1, options);
    auto stalled = world.connect(), healthy = world.connect();
    world.say(*stalled, "join room");
    stalled->room = 0;
    for (int i = 0; i < 12; ++i) world.say(*healthy, "say room " + std::to_string(i));
    stalled->room = MemoryWire::unlimited;
    world.run();
    CHECK(messages(*stalled) == Messages{"0", "1", "2", "3", "4"});
}

TEST_CASE("Closing: what was queued goes first, and on_close is called once") {
    Worded<> world;
    auto wire = world.connect();
    auto const send = [&](std::string_view text) {
        auto const bytes = ws::encode_frame(ws::ClientFrame::text(text));
        wire->to_server.append(bytes);
    };
    send("echo last words");
    send("bye");
    send("echo too late");
    world.run();
    CHECK(messages(*wire) == Messages{"last words", "close 1001"});
    auto const answer = ws::encode_frame(ws::ClientFrame::make(ws::Opcode::close, std::string_view("\x03\xe9", 2)));
    wire->to_server.append(answer);
    world.run();
    CHECK(wire->server_ended);  // the server ends first, and waits for the client
    CHECK_FALSE(wire->server_closed);
    wire->client_ended = true;
    world.run();
    CHECK(wire->server_closed);
    CHECK_FALSE(wire->was_reset);
    REQUIRE(world.log.ends.size() == 1);
    CHECK(world.log.ends[0].code == CloseCode::going_away);
    CHECK(world.hub.snapshot(0).sessions == 0);
}

TEST_CASE("A handler that throws ends its own session with 1011") {
    Worded<> world;
    auto wire = world.connect(), other = world.connect();
    world.say(*wire, "throw");
    CHECK(messages(*wire) == Messages{"close 1011"});
    world.say(*other, "echo alive");
    CHECK(messages(*other) == Messages{"alive"});
}

TEST_CASE("A silent client is pinged and then ended") {
    Worded<> world;
    auto wire = world.connect();
    world.pass(std::chrono::seconds(55));
    CHECK(messages(*wire) == Messages{"ping"});
    CHECK(world.log.closed == 0);
    world.pass(std::chrono::seconds(6));
    CHECK(world.log.closed == 1);
    CHECK(wire->was_reset);
}

TEST_CASE("A handshake that dawdles is ended at its limit, a foreign origin is refused, a page is 404") {
    Worded<> world;
    auto slow = world.connect(request.substr(0, 40));
    world.pass(std::chrono::seconds(11));
    CHECK(slow->was_reset);

    std::string foreign(request);
    foreign.insert(foreign.size() - 2, "Origin: https://evil.test\r\n");
    CHECK(world.connect(foreign)->received.substr(0, 12) == "HTTP/1.1 403");
    std::string own(request);
    own.insert(own.size() - 2, "Origin: https://example.test\r\n");
    CHECK(world.connect(own)->received.substr(0, 12) == "HTTP/1.1 101");
    CHECK(world.connect("GET / HTTP/1.1\r\nHost: a\r\n\r\n")->received.substr(0, 12) == "HTTP/1.1 404");
    CHECK(world.log.opened == 1);
}

TEST_CASE("Frames that follow the request in the same packet are read after the 101") {
    Worded<> world;
    std::string both(request);
    auto const bytes = ws::encode_frame(ws::ClientFrame::text("echo early"));
    both.append(bytes);
    CHECK(messages(*world.connect(both)) == Messages{"early"});
}

TEST_CASE("Options that cannot be are refused with the name of the member") {
    ManualLoop loop;
    Log log;
    HubOptions options;
    options.queue.messages = 0;
    CHECK_THROWS_WITH((Hub<MemoryConnection>(loop, Words{log}, options)), "HubOptions::queue.messages must be from 1 to 32000");
}
