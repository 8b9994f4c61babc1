#include <hubbub/backplane/nats/nats_backplane.hpp>

#include "tests/integration/cluster/node.hpp"

int cluster_node::run_nats(Arguments const& arguments) {
    using namespace std::chrono_literals;
    hubbub::NatsOptions options;
    options.url = arguments.url;
    options.storage = hubbub::NatsStorage::file;
    options.probe_every = 200ms;
    options.probe_limit = 1'000ms;
    options.connect_limit = 1'000ms;
    options.answer_limit = 1'500ms;
    options.pause_first = 20ms;
    options.pause_most = 400ms;
    return run<hubbub::NatsBackplane>(arguments, std::move(options));
}
