#include <hubbub/backplane/redis/redis_backplane.hpp>

#include "tests/integration/cluster/node.hpp"

int cluster_node::run_redis(Arguments const& arguments) {
    using namespace std::chrono_literals;
    hubbub::RedisOptions options;
    options.url = arguments.url;
    options.probe_every = 200ms;
    options.probe_limit = 1'000ms;
    options.connect_limit = 1'000ms;
    options.retry_first = 20ms;
    options.retry_most = 400ms;
    options.ask_every = 200ms;
    return run<hubbub::RedisBackplane>(arguments, std::move(options));
}
