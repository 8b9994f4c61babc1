#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/manual_loop.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/tcp_hub.hpp"

using namespace hubbub;

namespace {

struct Log {
    void on_event(Event const& event) noexcept { lines.push_back(std::string(event.name) + " " + std::string(event.detail)); }
    static inline std::vector<std::string> lines;
};
struct Observed : DefaultPolicy {
    using EventSink = Log;
};

}  // namespace

TEST_CASE("The sink of each shard is told the engine that was chosen, in the first turn of its loop") {
    ManualLoop any_loop;
    TcpDriver const usual(any_loop);
    std::string const best(usual.engine_name());
    auto const [wanted, told] = GENERATE_COPY(table<EngineKind, std::string>(
        {{EngineKind::asio, "asio"}, {EngineKind::epoll, "epoll"}, {EngineKind::automatic, best}}));
    Log::lines.clear();
    asio::io_context context{1};
    AsioLoop first(context), second(context);
    std::vector<ShardLoop*> const loops{&first, &second};
    Hub<TcpConnection, Observed> hub{loops, NoopHandler{}, {}, {.engine = wanted}};
    CHECK(Log::lines.empty());
    context.poll();
    std::vector<std::string> of_both;
    for (int shard = 0; shard < 2; ++shard) {
        of_both.push_back("engine_chosen " + told);
        if (wanted == EngineKind::automatic && !usual.engine_remark().empty())
            of_both.push_back("engine_remark " + std::string(usual.engine_remark()));
    }
    CHECK(Log::lines == of_both);
}

TEST_CASE("A hub that ends before its loop ran tells no engine") {
    Log::lines.clear();
    asio::io_context context{1};
    {
        AsioLoop loop(context);
        Hub<TcpConnection, Observed> hub{loop, NoopHandler{}};
    }
    context.poll();
    CHECK(Log::lines.empty());
}

// UndefinedBehaviorSanitizer checks a virtual call by means of a pipe: without descriptors it sees errors everywhere.
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define HUBBUB_TEST_NEEDS_DESCRIPTORS
#endif
#endif
#ifndef HUBBUB_TEST_NEEDS_DESCRIPTORS

TEST_CASE("An acceptor that is out of descriptors is reported to the hub's sink, and when it goes on") {
    Log::lines.clear();
    asio::io_context context{1};
    Hub<TcpConnection, Observed> hub{context, NoopHandler{}};
    TcpAcceptor acceptor(Endpoint("127.0.0.1:0"), {.on_trouble = [&hub](std::string_view what, std::error_code error) {
                             hub.report(error ? "accepting_stalled" : "accepting_again", std::string(what));
                         }});
    std::vector<asio::ip::tcp::socket> clients;
    auto const connect = [&] {
        clients.emplace_back(context);
        clients.back().connect({asio::ip::make_address("127.0.0.1"), acceptor.port()});
    };
    auto const hears = [&](std::string_view name) {
        for (int i = 0; i < 10'000; ++i) {
            context.restart();
            context.run_for(std::chrono::milliseconds(1));
            for (auto const& line : Log::lines)
                if (line.starts_with(name)) return true;
        }
        return false;
    };
    REQUIRE(hears("engine_chosen"));
    connect();
    connect();
    int const next = ::dup(0);
    ::close(next);
    rlimit usual{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &usual) == 0);
    rlimit none = usual;
    // For what an acceptor keeps, a timer and a spare, or a spare and one client. io_uring keeps to the limit that it has found.
    none.rlim_cur = static_cast<rlim_t>(next) + 2;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    acceptor.serve(hub.driver(0), [&hub](TcpSocket socket) { hub.adopt(std::move(socket)); });
    bool const stalled = hears("accepting_stalled out of file descriptors");
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &usual) == 0);
    CHECK(stalled);
    connect();
    CHECK(hears("accepting_again"));
}
#endif
