#include <hubbub/transport/websocketpp/websocketpp_connection.hpp>

#include "tests/contract/byte_connection_contract.hpp"
#include "tests/contract/memory_fixture.hpp"
#include "tests/unit/transport/tcp/tcp_fixture.hpp"

using namespace hubbub_contract;

namespace {
struct OverMemory : MemoryFixture<hubbub::WebsocketppConnection<hubbub::MemoryConnection>> {};
struct OverTcp : hubbub_test::TcpFixture {
    using Connection = hubbub::WebsocketppConnection<hubbub::TcpConnection>;
};
}  // namespace

TEMPLATE_TEST_CASE("WebsocketppConnection writes as a ByteConnection must", "[tcp]", OverMemory, OverTcp) {
    writing_keeps_the_contract<TestType>();
}

TEMPLATE_TEST_CASE("WebsocketppConnection reads as a ByteConnection must", "[tcp]", OverMemory, OverTcp) {
    reading_keeps_the_contract<TestType>();
}

TEMPLATE_TEST_CASE("WebsocketppConnection ends as a ByteConnection must", "[tcp]", OverMemory, OverTcp) {
    ending_keeps_the_contract<TestType>();
}

TEMPLATE_TEST_CASE("WebsocketppConnection moves as a ByteConnection must", "[tcp]", OverMemory, OverTcp) {
    moving_keeps_the_contract<TestType>();
}
