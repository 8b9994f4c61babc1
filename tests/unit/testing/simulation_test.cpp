#include <hubbub/testing/simulation.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/memory_hub.hpp"

using namespace hubbub;
using namespace std::chrono_literals;
using testing::Simulation;
using Texts = std::vector<std::string>;

namespace {

struct Chat : NoopHandler {
    void on_open(auto& session) { session.subscribe("lobby"); }
    void on_message(auto& session, MessageView message) { session.publish("lobby", message); }
};

struct Restless : NoopHandler {
    Simulation* sim;
    Hub<MemoryConnection>** hub;
    std::vector<PublishResult>* results;
    void on_open(auto& session) { session.subscribe("lobby"); }
    void on_message(auto&, MessageView message) {
        results->push_back(sim->elsewhere([&] { return (*hub)->publish("lobby", Frame(message)); }));
        sim->interleave();
    }
};

}  // namespace

TEST_CASE("A chat is tested in a few lines, without a network and without waiting") {
    Simulation sim{17};
    auto hub = sim.hub(Chat{});
    auto alice = sim.connect(hub), bob = sim.connect(hub);
    sim.run_until_idle();
    bob.stall();
    alice.send_text("hi");
    sim.run_for(31s);
    CHECK(alice.texts() == Texts{"hi"});
    CHECK(sim.ended(bob).by == CloseInfo::By::us);
    CHECK(bob.was_reset());
    CHECK_FALSE(alice.ended());
    CHECK_THROWS_AS(sim.ended(alice), std::logic_error);
}

TEST_CASE("The same seed does the same in the same order, and another seed does not") {
    auto const play = [](std::uint64_t seed) {
        Simulation sim(seed, 3);
        auto hub = sim.hub(Chat{});
        for (std::size_t i = 0; i < 6; ++i) sim.connect(hub, {.largest_piece = 5});
        sim.run_until_idle();
        for (int round = 0; round < 5; ++round)
            for (auto client : sim.clients()) client.send_text(client.wire().peer.to_string() + std::to_string(round));
        sim.run_until_idle();
        Texts all;
        for (auto const& client : sim.clients())
            for (auto const& text : client.texts()) all.push_back(text);
        all.push_back(std::to_string(sim.turns()));
        return all;
    };
    CHECK(play(1) == play(1));
    CHECK(play(1) != play(2));
}

TEST_CASE("What a client sends comes late, and in pieces, if it is so far away") {
    Simulation sim{3};
    auto hub = sim.hub(Chat{});
    auto near = sim.connect(hub), far = sim.connect(hub, {.latency = 200ms, .largest_piece = 3});
    sim.run_for(150ms);
    CHECK(near.status() == 101);
    CHECK(far.status() == 0);
    sim.run_for(60ms);
    CHECK(far.status() == 101);
    far.send_text("late");
    near.send_text("soon");
    sim.run_for(199ms);
    CHECK(near.texts() == Texts{"soon"});
    sim.run_for(1ms);
    CHECK(near.texts() == Texts{"soon", "late"});
}

TEST_CASE("A client can stall, take a little, lose its connection and end its side") {
    for (auto const mode : {MemoryMode::direct, MemoryMode::deferred, MemoryMode::records}) {
        Simulation sim{5};
        auto hub = sim.hub(Chat{});
        auto client = sim.connect(hub, {.mode = mode});
        auto lost = sim.connect(hub, {.mode = mode}), ended = sim.connect(hub, {.mode = mode});
        sim.run_until_idle();
        client.stall();
        ended.send_text("one");
        sim.run_until_idle();
        CHECK(client.received().empty());
        client.limit_to(2);
        sim.run_until_idle();
        CHECK(client.received().empty());
        CHECK(client.stream().unread() == 2);
        client.unstall();
        sim.run_until_idle();
        CHECK(client.texts() == Texts{"one"});
        lost.reset();
        ended.end();
        sim.run_until_idle();
        CHECK(sim.ended(lost).by == CloseInfo::By::network);
        CHECK(sim.ended(ended).by == CloseInfo::By::network);
        client.close(CloseCode::going_away, "bye");
        sim.run_until_idle();
        CHECK(sim.ended(client).by == CloseInfo::By::peer);
        CHECK(sim.ended(client).code == CloseCode::going_away);
        CHECK(client.close_seen()->code == CloseCode::going_away);
        CHECK(client.stream().problem().empty());
    }
}

TEST_CASE("A hook can act as another thread, and let another shard go on in its midst") {
    Simulation sim(9, 2);
    Hub<MemoryConnection>* address = nullptr;
    std::vector<PublishResult> results;
    auto hub = sim.hub(Restless{{}, &sim, &address, &results});
    address = &hub;
    auto one = sim.connect(hub), two = sim.connect(hub);
    sim.run_until_idle();
    for (int i = 0; i < 20; ++i) one.send_text(std::to_string(i));
    sim.run_until_idle();
    CHECK(results == std::vector<PublishResult>(20, PublishResult::accepted));
    CHECK(one.texts().size() == 20);
    CHECK(two.texts() == one.texts());
}
