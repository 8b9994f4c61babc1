#include <hubbub/operations/live/hub_dump.hpp>

#include <chrono>
#include <string>

#include <hubbub/testing/simulation.hpp>

#include "tests/support/catch.hpp"

namespace hub_dump_test {

using namespace hubbub;
using namespace std::chrono_literals;

struct ByName {
    void authenticate(http::Request const&, PeerAddress const&, Verdict<Authenticated> verdict) {
        verdict.answer(Authenticated::as({.user = "secret-user", .labels = {"secret-label"}}));
    }
};
struct Policy : DefaultPolicy {
    using Auth = ByName;
};
struct Room : NoopHandler {
    void on_open(auto& session) { session.subscribe("secret-room"); }
    void on_message(auto& session, MessageView message) { session.publish("secret-room", message); }
};

}  // namespace hub_dump_test

TEST_CASE("a dump has what every shard counts, and the worst sessions and the busiest topics without their names") {
    using namespace hub_dump_test;
    testing::Simulation sim{3};
    HubOptions<Policy> options;
    auto hub = sim.hub<Policy>(Room{}, options);
    auto ann = sim.connect(hub), slow = sim.connect(hub);
    sim.run_until_idle();
    slow.stall();
    for (int i = 0; i < 50; ++i) ann.send_text(std::string(4000, 'x'));
    sim.run_for(1s);
    nlohmann::json dump;
    hub.collect({.sessions = 5, .busiest = 5}, [&dump](HubSnapshot const& all) { dump = hub_dump(all); });
    sim.run_until_idle();
    REQUIRE(dump["shards"].size() == hub.shard_count());
    std::uint64_t opened = 0, pending = 0;
    for (auto const& shard : dump["shards"]) {
        opened += shard["counts"]["opened"].get<std::uint64_t>();
        pending += shard["queues"]["pending"].get<std::uint64_t>();
        CHECK(shard["timers"].contains("late_ns"));
    }
    CHECK(opened == 2);
    CHECK(pending > 0);
    CHECK(dump["hubbub"] == HUBBUB_VERSION);
    CHECK(dump["sessions"][0]["queued_messages"] == pending);
    REQUIRE(dump["topics"].size() == 1);
    CHECK(dump["topics"][0] ==
          nlohmann::json{{"topic", 1}, {"members", 2}, {"published", 50}, {"dropped", nlohmann::json::object()}});
    std::string const text = dump.dump();
    CHECK(text.find("secret") == std::string::npos);
    CHECK(text.find("127.0.0.1") == std::string::npos);
}
