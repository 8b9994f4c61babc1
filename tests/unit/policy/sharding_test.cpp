#include <hubbub/policy/sharding.hpp>

#include <set>
#include <string>

#include "tests/support/catch.hpp"

using namespace hubbub;

namespace {

std::uint16_t shard_of(auto& policy, std::string user, PeerAddress const& address = {}, std::uint16_t count = 4) {
    http::Request const request{};
    Identity const identity{.user = std::move(user), .labels = {}, .expires_at = {}};
    return policy(SessionInfo{request, identity, address}, ShardCount{count}).value;
}

PeerAddress address(std::uint8_t last, std::uint16_t port) {
    PeerAddress result;
    result.family = PeerAddress::Family::ipv4;
    result.bytes = {192, 0, 2, last};
    result.port = port;
    return result;
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
