#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/policy/authentication.hpp>

#include "tests/unit/hub/memory_world.hpp"

namespace measures {

using namespace memory_world;

/// Lets nobody in but who is polite, and says why.
struct PoliteAuth {
    void authenticate(http::Request const& request, PeerAddress const&, Verdict<Authenticated> verdict) {
        if (request.path() == "/rude") return verdict.answer(Authenticated::refused(http::Status::forbidden, "rude"));
        if (request.path() == "/silent") return;
        if (request.path() == "/nobody") return verdict.answer(Authenticated::refused(http::Status::unauthorized, "who?"));
        verdict.answer(Authenticated::as({}));
    }
};
struct PolitePolicy : DefaultPolicy {
    using Auth = PoliteAuth;
};

std::string handshake_for(std::string const& path) {
    std::string text(request);
    return text.replace(text.find("/chat"), 5, path);
}
std::string close_frame(CloseCode code) {
    auto const number = static_cast<unsigned>(code);
    std::string const payload{static_cast<char>(number >> 8), static_cast<char>(number & 255)};
    return ws::encode_frame(ws::ClientFrame::make(ws::Opcode::close, payload));
}
CallbackCounts const& of(ShardSnapshot const& snapshot, CallbackKind hook) {
    return snapshot.measures.callbacks[static_cast<std::size_t>(hook)];
}
std::uint64_t closed(ShardSnapshot const& snapshot, CloseCode code, CloseInfo::By by) {
    std::uint64_t sum = 0;
    for (auto const& each : snapshot.measures.closes.counts())
        if (each.code == code && each.by == by) sum += each.sessions;
    return sum;
}

}  // namespace measures

using namespace measures;

TEST_CASE("A shard counts messages, bytes, publications and subscriptions") {
    Told<> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("room"); };
    handler.hooks->message = [](auto& session, MessageView) { session.publish("room", "hello"); };
    World<Told<>> world(handler);
    auto alice = world.connect();
    auto bob = world.connect();
    std::size_t const before = alice->received.size() + bob->received.size();
    ShardSnapshot const early = world.hub.snapshot(0);
    CHECK(early.subscriptions == 2);
    CHECK(early.published == 0);
    world.say(*alice, "four");
    ShardSnapshot const now = world.hub.snapshot(0);
    CHECK(now.received == 1);
    CHECK(now.received_bytes == 4);
    CHECK(now.published == 1);
    CHECK(now.delivery.written == 2);
    CHECK(now.written_bytes - early.written_bytes == alice->received.size() + bob->received.size() - before);
    CHECK(of(now, CallbackKind::on_open).calls == 2);
    CHECK(of(now, CallbackKind::on_message).calls == 1);
    CHECK(of(now, CallbackKind::on_close).calls == 0);
    CHECK(now.measures.handshakes.count() == 2);
    CHECK(now.measures.fan_outs.count() >= 1);
    CHECK(now.measures.turns.count() >= 3);
    bob->lost = true;
    world.run();
    CHECK(world.hub.snapshot(0).subscriptions == 1);
}

TEST_CASE("Letters to other shards are counted where they are written") {
    Told<> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("room"); };
    World<Told<>> world(handler, 2);
    world.connect();
    world.connect();
    world.hub.publish("room", Frame::text("x"));
    world.run();
    CHECK(world.hub.snapshot(0).letters + world.hub.snapshot(1).letters >= 2);
    CHECK(world.hub.snapshot(0).published + world.hub.snapshot(1).published == 1);
}

TEST_CASE("A shard counts how sessions end, by code and by who ended them") {
    Told<> handler;
    handler.hooks->message = [](auto& session, MessageView) { session.close(CloseCode::policy_violation, "no"); };
    World<Told<>> world(handler);
    auto ended = world.connect();
    world.say(*ended, "x");
    ended->to_server.append(close_frame(CloseCode::policy_violation));
    world.run();
    ended->client_ended = true;
    auto lost = world.connect();
    lost->lost = true;
    auto polite = world.connect();
    polite->to_server.append(close_frame(CloseCode{4711}));
    world.run();
    polite->client_ended = true;
    world.run();
    ShardSnapshot const now = world.hub.snapshot(0);
    CHECK(closed(now, CloseCode::policy_violation, CloseInfo::By::us) == 1);
    CHECK(closed(now, CloseCode::abnormal, CloseInfo::By::network) == 1);
    CHECK(closed(now, CloseCode{4711}, CloseInfo::By::peer) == 1);
}

TEST_CASE("Clients cannot fill the table of close codes") {
    CloseCounts counts;
    for (unsigned code = 3000; code < 3500; ++code)
        counts.note(CloseCode{static_cast<std::uint16_t>(code)}, CloseInfo::By::peer);
    CHECK(counts.counts().size() <= CloseCounts::most + 1);
    std::uint64_t sum = 0;
    for (auto const& each : counts.counts()) sum += each.sessions;
    CHECK(sum == 500);
    CloseCounts twice = counts;
    twice += counts;
    CHECK(twice.counts().size() == counts.counts().size());
}

TEST_CASE("A shard counts why authentication has turned clients away") {
    World<Told<PolitePolicy>, PolitePolicy> world{Told<PolitePolicy>()};
    for (std::string const path : {"/rude", "/silent", "/nobody", "/nobody", "/chat"}) world.connect(handshake_for(path));
    ShardSnapshot const now = world.hub.snapshot(0);
    CHECK(now.unauthenticated[static_cast<std::size_t>(AuthenticationFailure::forbidden)] == 1);
    CHECK(now.unauthenticated[static_cast<std::size_t>(AuthenticationFailure::unanswered)] == 1);
    CHECK(now.unauthenticated[static_cast<std::size_t>(AuthenticationFailure::unauthorized)] == 2);
    CHECK(of(now, CallbackKind::authentication).calls == 5);
}

TEST_CASE("Queues are looked at once a second, and those that stand still by their age") {
    Told<> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("room"); };
    World<Told<>> world(handler);
    auto reader = world.connect();
    auto stalled = world.connect();
    stalled->room = 0;
    world.hub.publish("room", Frame::text("hello"));
    world.run();
    world.pass(std::chrono::seconds(5));
    ShardMeasures const now = world.hub.snapshot(0).measures;
    CHECK(now.queue_bytes.count() >= 8);
    CHECK(now.queue_ages.count() >= 4);
    CHECK(now.queue_ages.quantile(1) >= std::chrono::nanoseconds(std::chrono::seconds(2)).count());
    CHECK(now.loop_lags.count() > 0);
}

TEST_CASE("A snapshot lists the sessions that have most queued, and only those that its filter lets through") {
    Told<PolitePolicy> handler;
    handler.hooks->message = [](auto& session, MessageView message) { session.add_label(message.view()); };
    World<Told<PolitePolicy>, PolitePolicy> world(handler);
    std::vector<std::shared_ptr<MemoryWire>> wires;
    for (std::uint8_t i = 1; i <= 4; ++i) {
        PeerAddress peer{.family = PeerAddress::Family::ipv4};
        peer.bytes = {192, 0, 2, i};
        wires.push_back(world.connect(request, MemoryMode::direct, peer));
        wires.back()->room = 0;
        world.hub.publish(Target::all(), Frame::text("x"));  // so that who came first has most
        world.run();
    }
    world.pass(std::chrono::milliseconds(500));
    std::optional<HubSnapshot> now;
    auto const collect = [&](CollectOptions options) {
        world.hub.collect(std::move(options), [&](HubSnapshot const& all) { now = all; });
        world.run();
    };
    collect({.sessions = 2});
    REQUIRE(now->worst().size() == 2);
    CHECK(now->worst()[0].peer.to_string() == "192.0.2.1");
    CHECK(now->worst()[1].peer.to_string() == "192.0.2.2");
    CHECK(now->worst()[0].queued_messages == 4);
    CHECK(now->worst()[0].stalled >= std::chrono::milliseconds(400));
    collect({.sessions = 9, .address = "192.0.2.4"});
    REQUIRE(now->worst().size() == 1);
    CHECK(now->worst()[0].queued_messages == 1);
    world.say(*wires[2], "vip");
    collect({.sessions = 9, .label = "vip"});
    REQUIRE(now->worst().size() == 1);
    CHECK(now->worst()[0].peer.to_string() == "192.0.2.3");
    collect({.sessions = 9, .user = "nobody"});
    CHECK(now->worst().empty());
    collect({});
    CHECK(now->worst().empty());
}

TEST_CASE("A snapshot lists the largest and the busiest topics, and those that are named, as all shards know them") {
    Told<> handler;
    handler.hooks->message = [](auto& session, MessageView message) { session.subscribe(message.view()); };
    World<Told<>> world(handler, 2);
    std::vector<std::shared_ptr<MemoryWire>> wires;
    for (int i = 0; i < 4; ++i) wires.push_back(world.connect());
    for (auto const& wire : wires) world.say(*wire, "large");
    world.say(*wires[0], "busy");
    world.say(*wires[1], "quiet");
    for (int i = 0; i < 5; ++i) world.hub.publish("busy", Frame::text("x"));
    world.run();
    std::optional<HubSnapshot> now;
    auto const topics = [&](CollectOptions options) {
        world.hub.collect(std::move(options), [&](HubSnapshot const& all) { now = all; });
        world.run();
        std::string names;
        for (TopicSnapshot const& each : now->topics())
            names += each.name + " " + std::to_string(each.members) + " " + std::to_string(each.published) + "; ";
        return names;
    };
    CHECK(topics({.busiest = 9}) == "large 4 0; busy 1 5; quiet 1 0; ");
    CHECK(topics({.topics = {"quiet", "unknown"}}) == "quiet 1 0; ");
    CHECK(topics({}).empty());
    CHECK(topics({.busiest = 1}).starts_with("large 4 0; "));
}

TEST_CASE("What a callback takes is measured, and one that takes too long is told") {
    CallbackTimes times(std::chrono::milliseconds(2), true);
    auto const spin = [](std::chrono::milliseconds time) {
        auto const end = std::chrono::steady_clock::now() + time;
        while (std::chrono::steady_clock::now() < end) {}
    };
    spin(std::chrono::milliseconds(1));
    times.tick();  // before, the rate of the counter is not known
    std::chrono::nanoseconds told{0};
    times.measure(
        CallbackKind::timer, [&] { spin(std::chrono::milliseconds(4)); }, [&](std::chrono::nanoseconds time) { told = time; });
    spin(std::chrono::milliseconds(20));
    times.tick();
    CallbackCounts const counts = times.counts()[static_cast<std::size_t>(CallbackKind::timer)];
    CHECK(counts.calls == 1);
    CHECK(counts.slow == 1);
    CHECK(counts.time >= std::chrono::microseconds(3'500));
    CHECK(told > std::chrono::milliseconds(2));
    CHECK(times.counts()[static_cast<std::size_t>(CallbackKind::posted)].calls == 0);
}

TEST_CASE("Of callbacks in a row the end of one is the beginning of the next") {
    CallbackTimes times(std::chrono::nanoseconds(0), true);
    auto const nobody = [](std::chrono::nanoseconds) { FAIL(); };
    std::uint64_t const before = TickCounter::now();
    CallbackTimes::Row row;
    for (int i = 0; i < 21; ++i) times.measure(CallbackKind::on_message, [] {}, nobody, row);
    CHECK(times.counts()[static_cast<std::size_t>(CallbackKind::on_message)].calls < 21);  // of the last nobody knows yet
    times.end(CallbackKind::on_message, row, nobody);
    CHECK(row.since > before);
    std::uint64_t const all = TickCounter::now() - before;
    times.tick();
    CallbackCounts const counts = times.counts()[static_cast<std::size_t>(CallbackKind::on_message)];
    CHECK(counts.calls == 21);
    CHECK(counts.time <= times.counter().duration(all));
    times.end(CallbackKind::on_message, row, nobody);  // there is nothing to count
    CHECK(times.counts()[static_cast<std::size_t>(CallbackKind::on_message)].calls == 21);
}

namespace {
/// Nanoseconds that pass when a test says so.
struct ToldCounter {
    static inline std::uint64_t time = 1;
    static std::uint64_t now() noexcept { return time; }
    void measure() noexcept {}
    std::chrono::nanoseconds duration(std::uint64_t ticks) const noexcept { return std::chrono::nanoseconds(ticks); }
    std::uint64_t ticks(std::chrono::nanoseconds duration) const noexcept {
        return static_cast<std::uint64_t>(duration.count());
    }
};
}  // namespace

TEST_CASE("Of callbacks in a row that come near the limit each is looked at") {
    BasicCallbackTimes<ToldCounter> times(std::chrono::nanoseconds(800), true);
    times.tick();
    std::vector<std::int64_t> told;
    BasicCallbackTimes<ToldCounter>::Row row;
    auto const call = [&](std::uint64_t duration) {
        times.measure(
            CallbackKind::on_message, [&] { ToldCounter::time += duration; },
            [&](std::chrono::nanoseconds time) { told.push_back(time.count()); }, row);
        return told.size();
    };
    CHECK(call(900) == 1);  // the first of all is looked at
    CHECK(call(900) == 2);
    CHECK(call(101) == 2);
    CHECK(call(900) == 3);                                           // 101 was near enough to go on so
    CHECK(call(1) == 3);                                             // the last one that is looked at
    for (int i = 0; i < 7; ++i) CHECK(call(i == 3 ? 900 : 1) == 3);  // one of a group,
    CHECK(call(1) == 4);                                             // which is told when it is over,
    CHECK(call(900) == 5);                                           // and then each is looked at again
    CHECK(told == std::vector<std::int64_t>{900, 900, 900, 907, 900});
    CallbackCounts const counts = times.counts()[static_cast<std::size_t>(CallbackKind::on_message)];
    CHECK(counts.calls == 14);
    CHECK(counts.slow == 5);
    CHECK(counts.time == std::chrono::nanoseconds(5 * 900 + 101 + 8));
}

TEST_CASE("Where time is not real no callback is slow") {
    CallbackTimes times(std::chrono::nanoseconds(1), false);
    times.tick();
    times.measure(CallbackKind::timer, [] {}, [](std::chrono::nanoseconds) { FAIL(); });
    CHECK(times.counts()[static_cast<std::size_t>(CallbackKind::timer)].calls == 1);
}
