#include "tests/contract/byte_connection_contract.hpp"
#include "tests/unit/transport/tcp/tcp_fixture.hpp"

using namespace hubbub_test;

TEST_CASE("TcpConnection writes as a ByteConnection must", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    CAPTURE(TcpFixture::usual.name);
    hubbub_contract::writing_keeps_the_contract<TcpFixture>();
}

TEST_CASE("TcpConnection reads as a ByteConnection must", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    CAPTURE(TcpFixture::usual.name);
    hubbub_contract::reading_keeps_the_contract<TcpFixture>();
}

TEST_CASE("TcpConnection ends as a ByteConnection must", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    CAPTURE(TcpFixture::usual.name);
    hubbub_contract::ending_keeps_the_contract<TcpFixture>();
}

TEST_CASE("TcpConnection moves as a ByteConnection must", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    CAPTURE(TcpFixture::usual.name);
    hubbub_contract::moving_keeps_the_contract<TcpFixture>();
}
