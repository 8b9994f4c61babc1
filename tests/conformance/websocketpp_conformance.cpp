// The hub that reads with websocketpp: the decoder alone, a whole hub in memory, and one over sockets.
#include <hubbub/transport/websocketpp/websocketpp_connection.hpp>

#include "tests/conformance/codec_echo.hpp"
#include "tests/conformance/memory_echo.hpp"
#include "tests/conformance/tcp_echo.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/engines.hpp"

using namespace conformance;

namespace {
template <class Server>
void conforms(Server server, Split split, std::size_t largest = 128 * 1024) {
    CAPTURE(static_cast<int>(split));
    Report const report = run_all(server, split, largest);
    for (std::string const& failure : report.failures) FAIL_CHECK(failure);
    CHECK(report.cases > 300);
}
}  // namespace

TEST_CASE("websocketpp's decoder conforms to RFC 6455") {
    auto const split = GENERATE(Split::whole, Split::bytes, Split::coalesced);
    conforms(CodecEcho<hubbub::WebsocketppDecoder>(), split, split == Split::whole ? largest_case : 128 * 1024);
}

TEST_CASE("A hub that reads with websocketpp conforms to RFC 6455") {
    using Conn = hubbub::WebsocketppConnection<hubbub::MemoryConnection>;
    conforms(MemoryEcho<Conn>(hubbub::MemoryMode::direct), GENERATE(Split::whole, Split::bytes, Split::coalesced));
}

TEST_CASE("A hub that reads with websocketpp conforms to RFC 6455 over TCP") {
    using Conn = hubbub::WebsocketppConnection<hubbub::TcpConnection>;
    conforms(TcpEcho<Conn>(GENERATE(from_range(hubbub_test::engines))), Split::whole);
}
