// A whole hub over sockets of 127.0.0.1, on each engine.
#include "tests/conformance/tcp_echo.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/engines.hpp"

TEST_CASE("A hub over TCP conforms to RFC 6455") {
    using namespace conformance;
    auto const engine = GENERATE(from_range(hubbub_test::engines));
    auto const split = GENERATE(Split::whole, Split::bytes, Split::coalesced);
    // Reading byte by byte takes longest, and the asio engine reads with the code of the epoll engine.
    if (engine == hubbub::EngineKind::asio && split == Split::bytes) return;
    CAPTURE(static_cast<int>(engine), static_cast<int>(split));
    TcpEcho<hubbub::TcpConnection> server(engine);
    Report const report = run_all(server, split, largest_case);
    for (std::string const& failure : report.failures) FAIL_CHECK(failure);
    CHECK(report.cases > 300);
}
