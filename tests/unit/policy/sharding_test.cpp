#include <hubbub/policy/sharding.hpp>

#include <set>
#include <stdexcept>
#include <string>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

namespace {

std::uint16_t shard_of(auto& policy, std::string user, PeerAddress const& address = {}, std::uint16_t count = 4) {
    http::Request const request{};
    Identity const identity{.user = std::move(user), .labels = {}, .expires_at = {}};
    ShardLoads const loads(count);
    return policy(SessionInfo{request, identity, address, loads}, ShardCount{count}).value;
}

PeerAddress address(std::uint8_t last, std::uint16_t port) {
    PeerAddress result;
    result.family = PeerAddress::Family::ipv4;
    result.bytes = {192, 0, 2, last};
    result.port = port;
    return result;
}

/// Names the shard in the request: /2, or /throw.
struct ByPath : DefaultPolicy {
    struct Sharding {
        ShardIndex operator()(SessionInfo const& info, ShardCount) const {
            if (info.request.path() == "/throw") throw std::runtime_error("no");
            return {static_cast<std::uint16_t>(info.request.path().back() - '0')};
        }
    };
};
struct Emptiest : DefaultPolicy {
    using Sharding = LeastSessions;
};

std::string asking_for(std::string path) {
    std::string text(request);
    return text.replace(text.find("/chat"), 5, path);
}

}  // namespace

TEST_CASE("RoundRobin gives each shard its turn") {
    RoundRobin policy;
    for (int round = 0; round < 3; ++round) {
        std::set<std::uint16_t> seen;
        for (int i = 0; i < 4; ++i) seen.insert(shard_of(policy, ""));
        CHECK(seen == std::set<std::uint16_t>{0, 1, 2, 3});
    }
    for (int i = 0; i < 5; ++i) CHECK(shard_of(policy, "", {}, 1) == 0);
}

TEST_CASE("ByUser keeps a user on one shard, wherever he comes from, and spreads users") {
    ByUser policy;
    CHECK(shard_of(policy, "ada", address(1, 1)) == shard_of(policy, "ada", address(2, 2)));
    std::set<std::uint16_t> seen;
    for (int i = 0; i < 100; ++i) {
        seen.insert(shard_of(policy, "user" + std::to_string(i)));
        CHECK(*seen.rbegin() < 4);
    }
    CHECK(seen.size() == 4);
}

TEST_CASE("ByUser goes by the address where there is no user, and not by its port") {
    ByUser policy;
    CHECK(shard_of(policy, "", address(1, 1)) == shard_of(policy, "", address(1, 9)));
    std::set<std::uint16_t> seen;
    for (std::uint8_t i = 0; i < 100; ++i) seen.insert(shard_of(policy, "", address(i, 1)));
    CHECK(seen.size() == 4);
}

TEST_CASE("ByAddress goes by the address alone, and not by its port or who it is") {
    ByAddress policy;
    CHECK(shard_of(policy, "ada", address(1, 1)) == shard_of(policy, "bob", address(1, 9)));
    std::set<std::uint16_t> seen;
    for (std::uint8_t i = 0; i < 100; ++i) seen.insert(shard_of(policy, "ada", address(i, 1)));
    CHECK(seen.size() == 4);
}

TEST_CASE("ByFunction does what the function says, and is refused without one") {
    ByFunction policy{[](SessionInfo const& info, ShardCount count) {
        return ShardIndex{static_cast<std::uint16_t>(info.identity.user.size() % count.value)};
    }};
    CHECK(shard_of(policy, "ada") == 3);
    CHECK(shard_of(policy, "noah") == 0);
    CHECK_NOTHROW(policy.check());
    CHECK_THROWS_AS(ByFunction{}.check(), std::invalid_argument);
}

TEST_CASE("LeastSessions chooses the shard that has fewest, and counts who has gone no more") {
    World<Told<Emptiest>, Emptiest> world(Told<Emptiest>{}, 3);
    std::vector<std::shared_ptr<MemoryWire>> wires;
    for (int i = 0; i < 6; ++i) wires.push_back(world.connect());
    for (std::size_t shard = 0; shard < 3; ++shard) CHECK(world.hub.snapshot(shard).sessions == 2);
    world.hub.on_each_shard([](auto& shard) {
        if (shard.index().value == 1) shard.close_all(CloseCode::going_away, "");
    });
    world.pass(std::chrono::seconds(6));  // nobody answers the Close
    CHECK(world.hub.snapshot(1).sessions == 0);
    for (int i = 0; i < 2; ++i) wires.push_back(world.connect());
    for (std::size_t shard = 0; shard < 3; ++shard) CHECK(world.hub.snapshot(shard).sessions == 2);
}

TEST_CASE("A shard that there is not, or a policy that throws, leaves the session where it came in") {
    World<Told<ByPath>, ByPath> world(Told<ByPath>{}, 3);
    auto const there = world.connect(asking_for("/2"));
    CHECK(world.hub.snapshot(2).sessions == 1);
    auto const nowhere = world.connect(asking_for("/7"));
    CHECK(world.hub.snapshot(0).sessions == 1);
    auto const thrown = world.connect(asking_for("/throw"));
    CHECK(world.hub.snapshot(0).sessions == 2);
}
