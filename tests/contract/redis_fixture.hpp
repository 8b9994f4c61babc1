// What the tests of RedisBackplane share.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/backplane/redis/redis_backplane.hpp>

#include "tests/contract/backplane_contract.hpp"
#include "tests/support/byte_proxy.hpp"
#include "tests/support/redis_server.hpp"

namespace hubbub_test {

using namespace hubbub_contract;

using Node = BackplaneNode<hubbub::RedisBackplane>;

inline bool has_redis() {
    if (RedisServer::is_installed()) return true;
    WARN("left out: redis-server is not installed");
    return false;
}

inline hubbub::RedisOptions soon(std::string url) {
    hubbub::RedisOptions options;
    options.url = std::move(url);
    options.probe_every = std::chrono::milliseconds(100);
    options.probe_limit = std::chrono::milliseconds(1500);
    options.retry_first = std::chrono::milliseconds(10);
    options.retry_most = std::chrono::milliseconds(200);
    options.ask_every = std::chrono::milliseconds(200);
    options.check();
    return options;
}
inline std::string local_url(std::uint16_t port) { return "redis://127.0.0.1:" + std::to_string(port); }

/// A node that reaches what `options` name: it hears what it publishes, and it is kept.
inline void works(hubbub::RedisOptions const& options, std::size_t broker = 0) {
    static std::uint64_t number = 1000;  // another node each time: serials are known of each
    Node node(options, ++number, broker);
    auto const limits = ten_thousand();
    node.ready();
    node.subscribe("works");
    node.publish_and_wait("works", "plain", nullptr);
    CHECK(node.publish_and_wait("works", "kept", &limits).outcome == BackplaneOutcome::done);
    CHECK(node.bodies("works", 2) == std::vector<std::string>{"plain", "kept"});
    CHECK(node.read("works", limits).bodies().back() == "kept");
}

/// A node that gets nowhere, and says why, and no secret.
inline void fails(hubbub::RedisOptions const& options, std::string const& why) {
    Node node(options, 78);
    node.wait_event(why);
    CHECK(node.readies() == 0);
    CHECK(node.events().find("secret") == std::string::npos);
}

}  // namespace hubbub_test
