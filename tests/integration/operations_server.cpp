// A hub with what can make it slow, and a server for its operators: for live_page.py, slow_causes.py, ../load/operated_cost.py and
// docs/operations/live.md.
//   hubbub_operations_server [--act KEY] [--threads N] [--memory BYTES] [--redis URL] [--operators none]
// Clients are whom the headers X-User and X-Label name. They say "sleep", "join TOPIC", or "TOPIC TEXT", which is published. What is
// binary, as the load generator's, goes to all.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <hubbub/operations/live/operations_server.hpp>
#include <hubbub/server/server.hpp>
#ifdef OPERATIONS_SERVER_PROMETHEUS
#include <hubbub/operations/prometheus/metrics_page.hpp>
#endif
#ifdef OPERATIONS_SERVER_REDIS
#include <hubbub/backplane/redis/redis_backplane.hpp>
#endif

namespace {
using namespace std::chrono_literals;

struct Arguments {
    std::string key, redis;
    unsigned threads = 2;
    std::size_t memory = hubbub::MemoryBudget::usual;
    bool operators = true;
};

struct AsTheySay {
    void authenticate(hubbub::http::Request const& request, hubbub::PeerAddress const&,
                      hubbub::Verdict<hubbub::Authenticated> verdict) {
        hubbub::Identity who;
        who.user = request.header("X-User").value_or("");
        if (auto const label = request.header("X-Label")) who.labels.emplace_back(*label);
        verdict.answer(hubbub::Authenticated::as(std::move(who)));
    }
};
struct Local : hubbub::DefaultPolicy {
    using Auth = AsTheySay;
    using Rates = hubbub::NoRates;
};
struct Rooms : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe("lobby"); }
    void on_message(auto& session, hubbub::MessageView message) {
        if (!message.is_text()) {
            session.publish("lobby", message);
            return;
        }
        std::string_view const said = message.view();
        if (said == "sleep") return std::this_thread::sleep_for(50ms);
        std::size_t const space = said.find(' ');
        if (space == said.npos) return;
        std::string_view const first = said.substr(0, space), rest = said.substr(space + 1);
        if (first == "join")
            session.subscribe(rest);
        else
            session.publish(first, rest);
    }
};

template <class Policy>
void run(Arguments const& arguments, hubbub::ServerOptions<Policy> options) {
    options.port = 0;
    options.threads = arguments.threads;
    options.drain.deadline = 500ms;
    options.hub.limits = {.per_address = 0, .per_user = 0};  // all come from here
    options.hub.queue.bytes = 16 << 20;                      // who does not read stays long enough to be seen
    options.hub.memory = std::make_shared<hubbub::MemoryBudget>(arguments.memory);
    std::uint16_t operators_port = 0;
    options.on_ready = [&](hubbub::Endpoint const& where) {
        std::cout << "listening on " << where.to_string() << std::endl;
        if (operators_port) std::cout << "operators on 127.0.0.1:" << operators_port << std::endl;
    };
    hubbub::Server<Policy> server{Rooms{}, std::move(options)};
    if (!arguments.operators) {
        server.run_until_signal();
        return;
    }
    hubbub::OperationsOptions of_operations{.port = 0};
    if (!arguments.key.empty()) {
        // [act]
        of_operations.act = hubbub::http::OperatorsOnly(
            [key = arguments.key](hubbub::http::Request const& request, hubbub::PeerAddress const&) {
                return request.cookie("operator") == key;
            });
        // [/act]
    }
    // [run]
    hubbub::OperationsServer operations{server.hub(), of_operations};
    // [/run]
#ifdef OPERATIONS_SERVER_PROMETHEUS
    hubbub::add_metrics(operations.routes(), operations, {.topics = {"lobby"}});
#endif
    // [thread]
    std::thread thread([&] { operations.run(); });
    // [/thread]
    operators_port = operations.port();
    server.run_until_signal();
    // [stop]
    operations.stop();
    thread.join();
    // [/stop]
}

#ifdef OPERATIONS_SERVER_REDIS
struct OverRedis : Local {
    using Backplane = hubbub::RedisBackplane;
};
int run_redis(Arguments const& arguments) {
    hubbub::ServerOptions<OverRedis> options;
    options.hub.backplane.url = arguments.redis;
    return run(arguments, std::move(options)), 0;
}
#else
int run_redis(Arguments const&) { return std::cerr << "there is no Redis in this build" << std::endl, 2; }
#endif
}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string_view const name = argv[i];
        if (name == "--act")
            arguments.key = argv[i + 1];
        else if (name == "--threads")
            arguments.threads = static_cast<unsigned>(std::atoi(argv[i + 1]));
        else if (name == "--memory")
            arguments.memory = static_cast<std::size_t>(std::atoll(argv[i + 1]));
        else if (name == "--redis")
            arguments.redis = argv[i + 1];
        else if (name == "--operators")
            arguments.operators = argv[i + 1] != std::string_view("none");
        else
            return std::cerr << "there is no option " << name << std::endl, 2;
    }
    if (!arguments.redis.empty()) return run_redis(arguments);
    run<Local>(arguments, {});
}
