// Hubs that may compress, over sockets of 127.0.0.1, on each engine.
#include <hubbub/ws/deflate/permessage_deflate.hpp>

#include "tests/conformance/tcp_echo.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/engines.hpp"

namespace {
struct Compressed : hubbub::DefaultPolicy {
    using Compression = hubbub::PermessageDeflate;
};
}  // namespace

TEST_CASE("A hub that may compress conforms to RFC 7692 over TCP") {
    using namespace conformance;
    auto const engine = GENERATE(from_range(hubbub_test::engines));
    auto const split = GENERATE(Split::whole, Split::bytes, Split::coalesced);
    // Reading byte by byte takes longest, and the asio engine reads with the code of the epoll engine.
    if (engine == hubbub::EngineKind::asio && split == Split::bytes) return;
    CAPTURE(static_cast<int>(engine), static_cast<int>(split));
    TcpEcho<hubbub::TcpConnection, Compressed> server(engine);
    Report const report = run_cases(server, split, visit_deflate_frame_cases, visit_deflate_handshake_cases, largest_case);
    for (std::string const& failure : report.failures) FAIL_CHECK(failure);
    CHECK(report.cases > 250);
}
