// Orders over several servers: start this twice, with one Redis. Who comes back to the other server has missed nothing.
//   17_cluster redis://127.0.0.1:6379 8080
//   17_cluster redis://127.0.0.1:6379 8081
//   17_cluster --self-test
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <hubbub/backplane/redis/redis_backplane.hpp>
#include <hubbub/operations/readiness.hpp>
#include <hubbub/server/server.hpp>

// [policy]
struct OrdersPolicy : hubbub::DefaultPolicy {
    using Topics = hubbub::TopicsByName;
    using Backplane = hubbub::RedisBackplane;
};

static hubbub::HubOptions<OrdersPolicy> options(std::string const& redis) {
    using namespace std::chrono_literals;
    hubbub::HubOptions<OrdersPolicy> result;
    result.backplane.url = redis;
    result.topics.names = {{"orders", {.history = {.messages = 1000, .age = 5min}, .presence = {.kept = true, .lease = 15s}}}};
    return result;
}
// [/policy]

// [handler]
struct Orders : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe("orders", {.newest = 10}); }
    void on_message(auto& session, hubbub::MessageView message) { session.publish("orders", message); }
    /// The history has begun anew, or the link to the broker was away for too long.
    void on_continuity_lost(auto& session, hubbub::Subscription const&) { session.send("you may have missed something"); }
};
// [/handler]

/// Without a Redis: what is asked for is checked, and a server without its broker says that it is not ready.
static int test() {
    try {
        options("http://127.0.0.1").check();
        return 1;
    } catch (std::invalid_argument const&) {}
    hubbub::Server<OrdersPolicy> server{Orders{}, {.port = 0, .threads = 1, .hub = options("redis://127.0.0.1:1")}};
    return server.hub().backplane().continuous ? 1 : 0;
}

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "--self-test") return test();
    if (argc != 3) {
        std::cerr << "usage: 17_cluster REDIS-URL PORT\n";
        return 2;
    }
    auto const port = static_cast<std::uint16_t>(std::atoi(argv[2]));
    hubbub::Server<OrdersPolicy> server{Orders{}, {.port = port, .hub = options(argv[1])}};
    // [ready]
    // 503 at /readyz while what is published here is not heard elsewhere: who sends clients to servers should choose another one.
    hubbub::add_health(server.routes(), server.hub());
    // [/ready]
    std::cout << "ws://127.0.0.1:" << server.port() << std::endl;
    server.run_until_signal();
}
