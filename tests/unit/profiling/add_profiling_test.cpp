#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/core/network.hpp>
#include <hubbub/profiling/add_profiling.hpp>

#include "tests/support/refusal.hpp"
#include "tests/unit/http/parse.hpp"
#include "tests/unit/profiling/tools.hpp"

using namespace std::chrono_literals;
using hubbub::PeerAddress;
using hubbub::ProfilingOptions;
using hubbub::http::Response;
using hubbub::http::Status;

namespace add_profiling_test {
inline constexpr std::string_view pages[] = {"profile", "heap", "growth", "cmdline", "symbol"};

struct Program {
    explicit Program(hubbub::detail::Gperftools const& tools, ProfilingOptions options = {}) {
        profiling_tools::begin();
        hubbub::detail::add_profiling(routes, std::move(options), tools);
    }
    profiling_tools::Answer ask(std::string const& page, std::string_view method = "GET", std::string_view peer = "127.0.0.1",
                                std::string_view host = "localhost") {
        profiling_tools::Answer answer;
        routes.answer(
            parse(std::string(method) + " /debug/pprof/" + page + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"),
            *hubbub::parse_address(peer), answer.verdict());
        return answer;
    }
    /// What is answered at once.
    Response get(std::string const& page) {
        auto answer = ask(page);
        REQUIRE(answer.is_here());
        return answer.page.get();
    }
    hubbub::http::Routes routes;
};
}  // namespace add_profiling_test

TEST_CASE("A stranger sees nothing of a program, on none of the pages") {
    using namespace add_profiling_test;
    Program program(profiling_tools::all());
    for (std::string_view const page : pages) {
        CAPTURE(page);
        for (auto const& [peer, host] : {std::pair{"192.0.2.1", "localhost"}, std::pair{"127.0.0.1", "evil.example"}}) {
            auto answer = program.ask(std::string(page), "GET", peer, host);
            REQUIRE(answer.is_here());
            auto const response = answer.page.get();
            CHECK(response.status() == Status::forbidden);
            CHECK(response.body().starts_with("this page is for this machine only"));
        }
    }
    CHECK(profiling_tools::noted().starts == 0);
}

TEST_CASE("Who may see profiles is the program's to say") {
    using namespace add_profiling_test;
    ProfilingOptions options;
    options.allow = hubbub::http::OperatorsOnly([](hubbub::http::Request const& request, PeerAddress const& peer) {
        return request.host() == "inside" && peer.to_string() == "192.0.2.1";
    });
    Program program(profiling_tools::all(), options);
    for (std::string_view const page : {"heap", "growth", "cmdline", "symbol"}) {
        CAPTURE(page);
        CHECK(program.ask(std::string(page), "GET", "192.0.2.1", "inside").page.get().status() == Status::ok);
        CHECK(program.ask(std::string(page), "GET", "127.0.0.1", "localhost").page.get().status() == Status::forbidden);
    }
}

TEST_CASE("What is not linked is said in one sentence") {
    using namespace add_profiling_test;
    Program program({});
    for (auto const& [page, sentence] : {std::pair{"profile", "link libprofiler of gperftools (hubbub::gperftools)"},
                                         std::pair{"profile?seconds=1", "link libprofiler of gperftools (hubbub::gperftools)"},
                                         std::pair{"heap", "and with TCMALLOC_SAMPLE_PARAMETER=524288"},
                                         std::pair{"growth", "this program does not allocate with tcmalloc: link it"}}) {
        CAPTURE(page);
        auto const response = program.get(page);
        CHECK(response.status() == Status::service_unavailable);
        CHECK(response.body().find(sentence) != std::string::npos);
        CHECK(std::count(response.body().begin(), response.body().end(), '\n') == 1);
    }
    CHECK(program.get("cmdline").status() == Status::ok);
    CHECK(program.get("symbol").body() == "num_symbols: 1\n");
}

TEST_CASE("A heap that is not sampled is said in one sentence, and not shown as a profile") {
    using namespace add_profiling_test;
    Program program(profiling_tools::all());
    CHECK(program.get("heap").body() == "heap profile: 1: 2 [3: 4] @ heap_v2/5\n");
    CHECK(program.get("growth").body() == "heap profile: 1: 2 [3: 4] @ growthz\n");
    profiling_tools::noted().heap = "%warn\n%warn This heap profile does not have any data in it, because\n";
    auto const response = program.get("heap");
    CHECK(response.status() == Status::service_unavailable);
    CHECK(response.body().find("TCMALLOC_SAMPLE_PARAMETER=524288") != std::string::npos);
}

TEST_CASE("How long a CPU profile takes is a number of seconds up to the most, and nothing else") {
    using namespace add_profiling_test;
    Program program(profiling_tools::all());
    auto const query = GENERATE(values<std::string>({"seconds=0", "seconds=51", "seconds=-1", "seconds=", "seconds",
                                                     "seconds=1.5", "seconds=1s", "seconds=%201", "seconds=+1", "Seconds=1",
                                                     "seconds=1&seconds=1", "hz=100", "seconds=99999999999999999999"}));
    CAPTURE(query);
    auto const response = program.get("profile?" + query);
    CHECK(response.status() == Status::bad_request);
    CHECK(response.body().find("seconds=N, from 1 to 50") != std::string::npos);
    CHECK(profiling_tools::noted().starts == 0);
}

TEST_CASE("A CPU profile is answered later, and its pages can be given up meanwhile") {
    using namespace add_profiling_test;
    std::optional<Program> program(std::in_place, profiling_tools::all());
    auto first = program->ask("profile?seconds=50");
    CHECK_FALSE(first.is_here());
    CHECK(program->get("profile").status() == Status::conflict);
    CHECK(program->get("heap").status() == Status::ok);
    program.reset();
    REQUIRE(first.is_here());
    CHECK(first.page.get().body() == "samples");
}

TEST_CASE("A HEAD measures nothing") {
    using namespace add_profiling_test;
    Program program(profiling_tools::all());
    auto answer = program.ask("profile?seconds=50", "HEAD");
    REQUIRE(answer.is_here());
    CHECK(answer.page.get().status() == Status::no_content);
    CHECK(profiling_tools::noted().starts == 0);
    CHECK(program.ask("symbol", "HEAD").page.get().status() == Status::ok);
}

TEST_CASE("Pages without parameters refuse those that they get") {
    using namespace add_profiling_test;
    Program program(profiling_tools::all());
    for (std::string const page : {"heap?seconds=1", "heap?debug=1", "growth?a", "cmdline?a=b", "symbol?a=b"}) {
        CAPTURE(page);
        CHECK(program.get(page).status() == Status::bad_request);
    }
}

TEST_CASE("The command line is the program's, with a NUL between its words") {
    using namespace add_profiling_test;
    Program program({});
    auto const response = program.get("cmdline");
    std::string name;
    std::ifstream("/proc/self/comm") >> name;  // what the system knows of it, cut off
    std::string const first = response.body().substr(0, response.body().find('\0'));
    CHECK(first.substr(first.find_last_of('/') + 1).starts_with(name));
    CHECK(response.body().back() != '\0');
    CHECK(response.header("X-Content-Type-Options") == "nosniff");
    CHECK(response.header("Cache-Control") == "no-store");
}

TEST_CASE("Options without sense are refused with a sentence") {
    CHECK(refusal(ProfilingOptions()).empty());
    ProfilingOptions options;
    options.most = 0s;
    hubbub::http::Routes routes;
    CHECK_THROWS_AS(hubbub::add_profiling(routes, options), std::invalid_argument);
    CHECK(refusal(options) == "ProfilingOptions::most is less than a second");
}
