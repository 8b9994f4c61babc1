#include "tests/contract/byte_connection_contract.hpp"
#include "tests/unit/transport/tls/tls_fixture.hpp"

using namespace hubbub_test;

namespace {
void choose() {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    TlsFixture::version = TLS1_3_VERSION;
    CAPTURE(TcpFixture::usual.name);
}
}  // namespace

TEST_CASE("TcpConnection with TLS writes as a ByteConnection must", "[tcp]") {
    choose();
    hubbub_contract::writing_keeps_the_contract<TlsFixture>();
}

TEST_CASE("TcpConnection with TLS reads as a ByteConnection must", "[tcp]") {
    choose();
    hubbub_contract::reading_keeps_the_contract<TlsFixture>();
}

TEST_CASE("TcpConnection with TLS ends as a ByteConnection must", "[tcp]") {
    choose();
    hubbub_contract::ending_keeps_the_contract<TlsFixture>();
}

TEST_CASE("TcpConnection with TLS moves as a ByteConnection must", "[tcp]") {
    choose();
    hubbub_contract::moving_keeps_the_contract<TlsFixture>();
}

TEST_CASE("TcpConnection with TLS 1.2 keeps the contract", "[tcp]") {
    TcpFixture::usual = TcpFixture::epoll_on_one_thread;
    TlsFixture::version = TLS1_2_VERSION;
    SECTION("of writing") { hubbub_contract::writing_keeps_the_contract<TlsFixture>(); }
    SECTION("of reading") { hubbub_contract::reading_keeps_the_contract<TlsFixture>(); }
    SECTION("of ending") { hubbub_contract::ending_keeps_the_contract<TlsFixture>(); }
    SECTION("of moving") { hubbub_contract::moving_keeps_the_contract<TlsFixture>(); }
}
