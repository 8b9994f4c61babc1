#include <hubbub/transport/socket/accept_source.hpp>

#include <sys/resource.h>
#include <sys/wait.h>

#include <functional>
#include <string>
#include <vector>

#include <hubbub/transport/tcp/tcp_acceptor.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/transport/tcp/tcp_fixture.hpp"

using namespace hubbub_test;

namespace {

/// Runs `body` in a child, whose limits are its own; its result is what the body answers, "" for success.
[[maybe_unused]] std::string in_child(std::function<std::string()> const& body) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid_t const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::string answer;
        try {
            answer = body();
        } catch (std::exception const& error) {
            answer = error.what();
        }
        answer += "\n";
        (void)!::write(ends[1], answer.data(), answer.size());
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string answer;
    char buffer[256];
    for (ssize_t got; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) answer.append(buffer, static_cast<std::size_t>(got));
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return "the child crashed; " + answer;
    return answer == "\n" ? "" : answer;
}

[[maybe_unused]] bool allow_more_descriptors(int count) {
    int const next = ::dup(0);
    ::close(next);
    rlimit limit{};
    (void)::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = static_cast<rlim_t>(next + count);
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

[[maybe_unused]] std::string survive_without_descriptors(TcpFixture::Kind kind) {
    constexpr std::size_t clients = 60, room = 3;
    std::vector<std::string> troubles;
    std::vector<hubbub::TcpSocket> accepted;
    TcpFixture fixture(kind);
    hubbub::TcpAcceptor acceptor(hubbub::Endpoint("127.0.0.1:0"),
                                 {.on_trouble = [&](std::string_view what, std::error_code error) {
                                     troubles.push_back(std::string(what) + "/" + std::to_string(error.value()));
                                 }});
    acceptor.serve(fixture.driver(), [&](hubbub::TcpSocket socket) { accepted.push_back(std::move(socket)); });
    if (!fixture.settles()) return "the loop has no rest before the test";
    std::vector<RawPeer> peers;
    for (std::size_t i = 0; i < clients; ++i) {
        peers.emplace_back(acceptor.endpoint());
        peers.back().write("GET / HTTP/1.1\r\n");
    }
    if (!allow_more_descriptors(room)) return "no limit";

    if (!fixture.pump_until([&] { return !troubles.empty(); })) return "no trouble was told";
    if (accepted.size() != room) return "accepted " + std::to_string(accepted.size());
    int const turns = fixture.turns();
    // Each pump waits a millisecond where there is nothing to do: a loop that spins has as many turns as pumps.
    for (int i = 0; i < 300; ++i) (void)fixture.pump(1);
    if (fixture.turns() - turns > 60) return "the loop span: " + std::to_string(fixture.turns() - turns) + " turns";
    if (fixture.turns() == turns) return "no further try";
    if (accepted.size() != room) return "accepted without descriptors";
    if (troubles.size() != 1 || troubles[0].find("/" + std::to_string(EMFILE)) == std::string::npos)
        return "told " + troubles.back();

    // With descriptors it goes on, and nobody is lost: who was not accepted was told politely.
    if (!allow_more_descriptors(200)) return "no limit";
    std::size_t refused = 0;
    bool const complete = fixture.pump_until([&] {
        refused = 0;
        for (auto& peer : peers) {
            (void)peer.read();
            if (peer.has_ended()) ++refused;
        }
        return accepted.size() + refused == clients;
    });
    if (!complete) return "lost some: " + std::to_string(accepted.size()) + " + " + std::to_string(refused);
    if (refused == 0) return "nobody was refused";
    if (refused > clients / 2) return "too many were refused";
    for (auto const& peer : peers)
        if (peer.was_reset()) return "a client was reset instead of refused";
    if (troubles.size() != 2 || troubles[1] != "accepting again/0") return "told " + troubles.back();
    return "";
}

}  // namespace

// The system tells only one of those who accept from a socket: nobody else would hear of it before the next client.
TEST_CASE("who leaves a listening socket takes what waits there") {
    TcpFixture fixture(GENERATE(from_range(TcpFixture::kinds)));
    CAPTURE(fixture.driver().engine_name());
    hubbub::TcpAcceptor acceptor(hubbub::Endpoint("127.0.0.1:0"));
    int accepted = 0;
    bool has_left = false;
    acceptor.serve(fixture.driver(), [&](hubbub::TcpSocket) { ++accepted; });
    REQUIRE(fixture.settles());
    RawPeer const peer = speaking_peer(acceptor.endpoint());
    acceptor.leave([&] { has_left = true; });
    CHECK(fixture.pump_until([&] { return has_left; }));
    CHECK(accepted == 1);
}

// UndefinedBehaviorSanitizer checks a virtual call by means of a pipe: without descriptors it sees errors everywhere.
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define HUBBUB_TEST_NEEDS_DESCRIPTORS
#endif
#endif
#ifndef HUBBUB_TEST_NEEDS_DESCRIPTORS

TEST_CASE("without descriptors accepting rests, refuses one client a try politely, and goes on afterwards") {
    auto const kind = GENERATE(TcpFixture::epoll_on_one_thread, TcpFixture::epoll_without_asio, TcpFixture::asio_on_one_thread,
                               TcpFixture::asio_on_strand);
    CAPTURE(kind.name);
    CHECK(in_child([kind] { return survive_without_descriptors(kind); }) == "");
}

TEST_CASE("an acceptor that cannot be watched for want of descriptors says so") {
    CHECK(in_child([]() -> std::string {
              std::string trouble;
              TcpFixture fixture(TcpFixture::epoll_on_one_thread);
              hubbub::TcpAcceptor acceptor(hubbub::Endpoint("127.0.0.1:0"),
                                           {.on_trouble = [&](std::string_view what, std::error_code) { trouble = what; }});
              if (!allow_more_descriptors(0)) return "no limit";
              acceptor.serve(fixture.driver(), [](hubbub::TcpSocket) {});
              if (!fixture.settles()) return "no rest";
              return trouble.find("timerfd_create") != std::string::npos ? "" : "told: " + trouble;
          }) == "");
}

#endif
