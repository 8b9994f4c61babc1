#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <hubbub/http/routes.hpp>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

namespace {

/// What all sinks of a test are told, one after the other.
struct EventLog {
    void on_event(Event const& event) noexcept {
        std::string line(event.name);
        if (!event.detail.empty()) line += " " + std::string(event.detail);
        if (event.number) line += " " + std::to_string(event.number);
        lines.push_back(std::move(line));
        sessions.push_back(event.session);
    }
    static inline Messages lines;
    static inline std::vector<SessionId> sessions;
};

/// Says whose it is, and keeps the times that it was told.
struct Placed {
    struct Options {
        std::shared_ptr<std::vector<ShardIndex>> shards = std::make_shared<std::vector<ShardIndex>>();
        std::shared_ptr<std::vector<TimePoint>> ticks = std::make_shared<std::vector<TimePoint>>();
    };
    explicit Placed(Options options, EventSource source = {.node = 99}) : options_(std::move(options)), source_(source) {}
    void on_event(Event const&) noexcept {
        CHECK(source_.node == 0);
        options_.shards->push_back(source_.shard);
    }
    void on_tick(TimePoint now) noexcept { options_.ticks->push_back(now); }

   private:
    Options options_;
    EventSource source_;
};
struct PlacedPolicy : DefaultPolicy {
    using EventSink = Placed;
};

/// Throws for the path /throw.
struct Moody {
    void authenticate(http::Request const& request, PeerAddress const&, Verdict<Authenticated> verdict) {
        if (request.path() == "/throw") throw std::runtime_error("no");
        if (request.path() == "/no") return verdict.answer(Authenticated::refused(http::Status::unauthorized, "no"));
        verdict.answer(Authenticated::as({}));
    }
};

template <class P = Disconnect>
struct Observed : DefaultPolicy {
    using Auth = Moody;
    using Overflow = P;
    using EventSink = EventLog;
};

template <class P = Disconnect>
struct ObservedWorld : World<Told<Observed<P>>, Observed<P>> {
    using Base = World<Told<Observed<P>>, Observed<P>>;
    explicit ObservedWorld(Told<Observed<P>> handler = {}, HubOptions<Observed<P>> options = {}, std::size_t shards = 1)
        : Base(std::move(handler), shards, std::move(options)) {
        EventLog::lines.clear();
        EventLog::sessions.clear();
    }
    /// A client whose request is for that path, or has a header more.
    std::shared_ptr<MemoryWire> ask(std::string path, std::string header = {}) {
        std::string text(request);
        text.replace(text.find("/chat"), 5, path);
        text.insert(text.size() - 2, header);
        return Base::connect(text);
    }
};

/// The events of one name.
Messages told_of(std::string_view name) {
    Messages result;
    for (auto const& line : EventLog::lines)
        if (line.starts_with(name)) result.push_back(line);
    return result;
}

}  // namespace

TEST_CASE("The sink is told that a session opened and closed, with the code and who began it") {
    Told<Observed<>> handler;
    SessionId id;
    handler.hooks->open = [&](auto& session) { id = session.id(); };
    ObservedWorld<> world(handler);
    auto wire = world.connect();
    CHECK(EventLog::lines == Messages{"session_opened"});
    CHECK(EventLog::sessions.back() == id);
    SECTION("the peer closes") {
        wire->to_server += ws::encode_frame(ws::ClientFrame::make(ws::Opcode::close, std::string_view("\x03\xe9", 2)));
        world.run();
        wire->client_ended = true;
        world.run();
        CHECK(EventLog::lines.back() == "session_closed peer 1001");
    }
    SECTION("we close") {
        world.hub.close(id, CloseCode::policy_violation);
        world.run();
        wire->client_ended = true;
        world.run();
        CHECK(EventLog::lines.back() == "session_closed us 1008");
    }
    SECTION("the network is lost") {
        wire->lost = true;
        world.run();
        CHECK(EventLog::lines.back() == "session_closed network 1006");
    }
    CHECK(EventLog::lines.size() == 2);
    CHECK(EventLog::sessions.back() == id);
}

TEST_CASE("The sink is told of each connection that is refused, and why") {
    HubOptions<Observed<>> options;
    options.limits.in_all = 2;
    ObservedWorld<> world({}, options);
    auto const end = [&] {
        world.wires.back()->client_ended = true;
        world.run();
    };
    auto const refused = [&] { return std::exchange(EventLog::lines, {}); };
    world.connect("nonsense\r\n\r\n");
    CHECK(refused() == Messages{"connection_refused malformed"});
    end();
    world.ask("/chat", "Origin: https://evil.test\r\n");
    CHECK(refused() == Messages{"connection_refused origin"});
    end();
    world.ask("/no");
    CHECK(refused() == Messages{"connection_refused authentication"});
    end();
    world.connect("GET /slow HTTP/1.1\r\n");
    world.pass(std::chrono::seconds(11));
    CHECK(refused() == Messages{"connection_refused too_slow"});
    world.connect();
    world.connect();
    refused();
    world.connect();
    CHECK(refused() == Messages{"connection_refused limit"});
    end();
    world.hub.drain({}, [] {});
    world.run();
    refused();
    world.connect();
    CHECK(refused() == Messages{"connection_refused draining"});
}

TEST_CASE("The sink is told of what a slow session missed, once it keeps up again, or when it has gone") {
    HubOptions<Observed<DropNewest>> options;
    options.queue = {.bytes = 100'000, .messages = 2};
    Told<Observed<DropNewest>> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("room"); };
    ObservedWorld<DropNewest> world(handler, options);
    auto wire = world.connect();
    auto const flood = [&] {
        wire->room = 0;
        for (int i = 0; i < 7; ++i) world.hub.publish("room", Frame::text("x"));
        world.run();
    };
    flood();
    CHECK(told_of("messages_dropped").empty());
    wire->room = MemoryWire::unlimited;
    world.run();
    CHECK(told_of("messages_dropped") == Messages{"messages_dropped slow_consumer 5"});
    flood();
    wire->lost = true;
    world.run();
    CHECK(told_of("messages_dropped") == Messages{"messages_dropped slow_consumer 5", "messages_dropped slow_consumer 5"});
    CHECK(EventLog::lines.back() == "session_closed network 1006");
    CHECK(world.sums().dropped[static_cast<std::size_t>(DropReason::slow_consumer)] == 10);
}

TEST_CASE("The sink is told once of a session that is disconnected because it is slow") {
    HubOptions<Observed<>> options;
    options.queue = {.bytes = 100'000, .messages = 2};
    Told<Observed<>> handler;
    SessionId id;
    handler.hooks->open = [&](auto& session) {
        id = session.id();
        session.subscribe("room");
    };
    ObservedWorld<> world(handler, options);
    auto wire = world.connect();
    wire->room = 0;
    for (int i = 0; i < 7; ++i) {
        world.hub.publish("room", Frame::text("x"));
        world.run();
    }
    CHECK(told_of("slow_consumer").size() == 1);
    CHECK(EventLog::sessions.back() == id);
    world.pass(std::chrono::seconds(6));
    CHECK(EventLog::lines.back() == "session_closed us 1013");
}

TEST_CASE("The sink of each shard is told when its drain begins, with how many, and ends, with how many were reset") {
    ObservedWorld<> world({}, {}, 2);
    auto polite = world.connect();
    for (int i = 0; i < 2; ++i) world.connect();
    DrainOptions options;
    options.deadline = std::chrono::seconds(2);
    world.hub.drain(options, [] {});
    world.run();
    auto begun = told_of("drain_begun");
    std::sort(begun.begin(), begun.end());
    CHECK(begun == Messages{"drain_begun 1", "drain_begun 2"});
    world.pass(std::chrono::milliseconds(500));
    polite->client_ended = true;
    world.run();
    CHECK(told_of("drain_ended").size() <= 1);
    world.pass(std::chrono::seconds(3));
    auto const ended = told_of("drain_ended");
    REQUIRE(ended.size() == 2);
    std::size_t reset = 0;
    for (auto const& line : ended)
        if (line != "drain_ended") reset += std::stoul(line.substr(12));
    CHECK(reset == 2);
    world.hub.drain(options, [] {});
    world.run();
    CHECK(told_of("drain_ended").size() == 4);
}

TEST_CASE("The sink is told of callbacks and policies that threw") {
    HubOptions<Observed<>> options;
    options.routes = std::make_shared<http::Routes>();
    options.routes->add("/page", [](http::Request const&) -> http::Response { throw 1; });
    Told<Observed<>> handler;
    handler.hooks->message = [](auto&, MessageView) { throw 1; };
    ObservedWorld<> world(handler, options);
    auto wire = world.connect();
    world.say(*wire, "hello");
    CHECK(told_of("callback_threw").size() == 1);
    world.ask("/throw");
    CHECK(told_of("policy_threw") == Messages{"policy_threw authentication"});
    world.connect("GET /page HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(told_of("policy_threw").back() == "policy_threw routes");
}

TEST_CASE("An application may report what it knows to a shard's sink, and is told when the hub has ended") {
    std::optional<ObservedWorld<>> world(std::in_place);
    CHECK(world->hub.report("accepting_stalled", "too many open files"));
    CHECK(EventLog::lines.empty());  // on the loop, not here
    world->run();
    CHECK(EventLog::lines == Messages{"accepting_stalled too many open files"});
    world->hub.report("never", "told");
    world.reset();
    CHECK(EventLog::lines.size() == 1);
}

TEST_CASE("No event holds anything that a client has said") {
    Told<Observed<>> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("room"); };
    handler.hooks->message = [](auto&, MessageView message) { throw std::runtime_error(std::string(message.view())); };
    HubOptions<Observed<>> options;
    options.queue = {.bytes = 4096, .messages = 4, .high_bytes = 2048, .low_bytes = 512};
    options.rates.session.messages = {.per_second = 1, .burst = 1};
    ObservedWorld<> world(handler, options);
    // Whatever comes of it, the word is in the path, the query, headers, messages, control frames and what is no protocol at all.
    std::string const headers = "Authorization: Bearer planted\r\nCookie: session=planted\r\nUser-Agent: planted\r\n";
    for (auto const* path : {"/planted?token=planted", "/no?token=planted", "/throw?token=planted"}) {
        auto const wire = world.ask(path, headers);
        for (auto const opcode : {ws::Opcode::ping, ws::Opcode::pong, ws::Opcode::text, ws::Opcode::close}) {
            std::string const payload = opcode == ws::Opcode::close ? "\x03\xe9planted" : "planted";
            wire->to_server += ws::encode_frame(ws::ClientFrame::make(opcode, payload));
        }
        world.run();
        wire->lost = true;
        world.run();
    }
    world.ask("/x", "Origin: https://planted.example\r\n");
    world.connect("planted planted planted\r\n\r\n");
    auto const stalled = world.ask("/", headers), wrong = world.ask("/", headers);
    stalled->room = 0;
    wrong->to_server += "planted";
    for (int i = 0; i < 10; ++i) world.hub.publish("room", Frame::text("planted"));
    world.pass(std::chrono::seconds(1));
    CHECK(EventLog::lines.size() > 10);
    for (auto const& line : EventLog::lines) {
        INFO(line);
        CHECK(line.find("planted") == std::string::npos);
    }
}

TEST_CASE("A sink that wants to is told whose events it hears, and each second what time it is") {
    HubOptions<PlacedPolicy> options;
    World<NoopHandler, PlacedPolicy> world(NoopHandler{}, 2, options);
    world.hub.report("first", {}, 0);
    world.hub.report("second", {}, 1);
    world.run();
    CHECK(*options.events.shards == std::vector<ShardIndex>{{0}, {1}});
    auto const begin = world.time.now;
    world.pass(std::chrono::seconds(10));
    CHECK(options.events.ticks->size() >= 18);  // of two shards
    CHECK(options.events.ticks->size() <= 22);
    CHECK(options.events.ticks->front() > begin);
    CHECK(options.events.ticks->back() > begin + std::chrono::seconds(8));
    CHECK(options.events.ticks->back() <= world.time.now);
}

TEST_CASE("A hub that is destroyed tells nothing of the sessions that go with it") {
    std::optional<ObservedWorld<>> world(std::in_place);
    world->connect();
    world->hub.drain({}, [] {});
    EventLog::lines.clear();
    world.reset();
    CHECK(EventLog::lines.empty());
}

TEST_CASE("A sink that is deaf need not be told") {
    struct Deaf : NoEvents {};
    EventLog::lines.clear();
    EventLog hears;
    tell_event(hears, {"heard"});
    CHECK(EventLog::lines == Messages{"heard"});
    NoEvents deaf;
    tell_event(deaf, {"unheard"});
    CHECK(EventSink<Deaf>);
    CHECK(Deaf::is_deaf);
}
