// A hub with what can make it slow, and a server for its operators: for live_page.py and docs/operations/live.md.
//   hubbub_operations_server [--act KEY] [--threads N]
// Clients are whom the headers X-User and X-Label name. They say "sleep", "join TOPIC", or "TOPIC TEXT", which is published.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <hubbub/operations/live/operations_server.hpp>
#include <hubbub/server/server.hpp>

namespace {
using namespace std::chrono_literals;

struct AsTheySay {
    void authenticate(hubbub::http::Request const& request, hubbub::PeerAddress const&,
                      hubbub::Verdict<hubbub::Authenticated> verdict) {
        hubbub::Identity who;
        who.user = request.header("X-User").value_or("");
        if (auto const label = request.header("X-Label")) who.labels.emplace_back(*label);
        verdict.answer(hubbub::Authenticated::as(std::move(who)));
    }
};
struct Policy : hubbub::DefaultPolicy {
    using Auth = AsTheySay;
    using Rates = hubbub::NoRates;
};
struct Rooms : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe("lobby"); }
    void on_message(auto& session, hubbub::MessageView message) {
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
}  // namespace

int main(int argc, char** argv) {
    hubbub::ServerOptions<Policy> options{.port = 0, .threads = 2, .drain = {.deadline = 500ms}};
    std::optional<std::string> key;
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string_view const name = argv[i];
        if (name == "--act")
            key = argv[i + 1];
        else if (name == "--threads")
            options.threads = static_cast<unsigned>(std::atoi(argv[i + 1]));
        else
            return std::cerr << "there is no option " << name << std::endl, 2;
    }
    hubbub::Server<Policy> server{Rooms{}, std::move(options)};
    hubbub::OperationsOptions of_operations{.port = 0};
    if (key)
        of_operations.act = hubbub::OperatorsOnly([key](hubbub::http::Request const& request, hubbub::PeerAddress const&) {
            return request.cookie("operator") == std::string_view(*key);
        });
    // [run]
    hubbub::OperationsServer operations{server.hub(), of_operations};
    std::thread thread([&] { operations.run(); });
    // [/run]
    std::cout << "listening on 127.0.0.1:" << server.port() << "\noperators on 127.0.0.1:" << operations.port() << std::endl;
    server.run_until_signal();
    // [stop]
    operations.stop();
    thread.join();
    // [/stop]
}
