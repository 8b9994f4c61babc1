#include <hubbub/backplane/redis/redis_backplane.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "tests/contract/backplane_contract.hpp"
#include "tests/support/byte_proxy.hpp"
#include "tests/support/redis_server.hpp"

using namespace hubbub_contract;
using namespace hubbub_test;

namespace {

using Node = BackplaneNode<hubbub::RedisBackplane>;

bool has_redis() {
    if (RedisServer::is_installed()) return true;
    WARN("left out: redis-server is not installed");
    return false;
}

hubbub::RedisOptions soon(std::string url) {
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
std::string local_url(std::uint16_t port) { return "redis://127.0.0.1:" + std::to_string(port); }

/// One server behind a proxy.
template <bool splits>
struct RedisFixture {
    using Backplane = hubbub::RedisBackplane;

    RedisFixture() { proxy.split(splits); }
    hubbub::RedisOptions options() { return soon(local_url(proxy.port())); }
    void cut() { proxy.cut(); }
    void freeze() { server.freeze(); }
    void thaw() { server.thaw(); }
    void deafen() { proxy.deafen("SUBSCRIBE"); }
    void empty() { server.ask({"FLUSHALL"}); }
    void restart() { server.restart(); }

    RedisServer server;
    ByteProxy proxy{server.port()};
};
using OneServer = RedisFixture<false>;

}  // namespace

TEST_CASE("RedisBackplane publishes as a RemoteBackplane must", "[tcp]") {
    if (has_redis()) plain_publications_keep_the_contract<OneServer>();
}

TEST_CASE("RedisBackplane publishes with history as a RemoteBackplane must", "[tcp]") {
    if (has_redis()) publications_with_history_keep_the_contract<OneServer>();
}

TEST_CASE("RedisBackplane reads as a RemoteBackplane must", "[tcp]") {
    if (has_redis()) reading_keeps_the_contract<OneServer>();
}

TEST_CASE("RedisBackplane loses and finds its broker as a RemoteBackplane must", "[tcp]") {
    if (has_redis()) losses_keep_the_contract<OneServer>();
}
