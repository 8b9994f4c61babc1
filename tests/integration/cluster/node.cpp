// One process of a hub over several, for chaos.py. It ends on SIGTERM.
//   hubbub_cluster_node --redis URL | --nats URL [--port N]
#include "tests/integration/cluster/node.hpp"

#include <cstdlib>
#include <exception>

namespace {

struct Kind {
    std::string_view option;
    int (*run)(cluster_node::Arguments const&);
};
constexpr Kind kinds[] = {
#ifdef CLUSTER_NODE_REDIS
    {"--redis", cluster_node::run_redis},
#endif
#ifdef CLUSTER_NODE_NATS
    {"--nats", cluster_node::run_nats},
#endif
};

int usage() {
    std::cerr << "usage: hubbub_cluster_node OPTION URL [--port N]; options of this build:";
    for (Kind const& kind : kinds) std::cerr << ' ' << kind.option;
    std::cerr << '\n';
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    cluster_node::Arguments arguments;
    Kind const* chosen = nullptr;
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string_view const name = argv[i];
        if (name == "--port") {
            arguments.port = static_cast<std::uint16_t>(std::strtoul(argv[i + 1], nullptr, 10));
            continue;
        }
        for (Kind const& kind : kinds)
            if (kind.option == name) chosen = &kind;
        arguments.url = argv[i + 1];
    }
    if (!chosen) return usage();
    try {
        return chosen->run(arguments);
    } catch (std::exception const& problem) {
        std::cerr << "hubbub_cluster_node: " << problem.what() << '\n';
        return 1;
    }
}
