#include <hubbub/core/network.hpp>

#include <string>

#include "tests/support/catch.hpp"

using hubbub::Network;
using hubbub::parse_address;
using hubbub::PeerAddress;

namespace {

bool contains(std::string_view network, std::string_view address) {
    auto const parsed = Network::parse(network);
    auto const peer = parse_address(address);
    REQUIRE(parsed);
    REQUIRE(peer);
    return parsed->contains(*peer);
}

}  // namespace

TEST_CASE("An address is read from text, and an IPv4 address that is written as IPv6 is the IPv4 one") {
    CHECK(parse_address("192.0.2.1")->to_string() == "192.0.2.1");
    CHECK(parse_address("2001:db8::1")->to_string() == "2001:db8:0:0:0:0:0:1");
    CHECK(parse_address("::ffff:192.0.2.1") == parse_address("192.0.2.1"));
    for (auto const* const wrong : {"", "192.0.2", "192.0.2.256", "192.0.2.1 ", "192.0.2.1:80", "[::1]", "1::2::3", "name",
                                    "unix", "2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000"}) {
        INFO(wrong);
        CHECK_FALSE(parse_address(wrong));
    }
}

TEST_CASE("A network contains what begins with its prefix, to the bit") {
    CHECK(contains("10.0.0.0/8", "10.255.255.255"));
    CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
    CHECK(contains("192.0.2.128/25", "192.0.2.128"));
    CHECK_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
    CHECK(contains("192.0.2.1", "192.0.2.1"));
    CHECK_FALSE(contains("192.0.2.1", "192.0.2.2"));
    CHECK(contains("0.0.0.0/0", "203.0.113.9"));
    CHECK(contains("2001:db8::/33", "2001:db8:7fff::"));
    CHECK_FALSE(contains("2001:db8::/33", "2001:db8:8000::"));
    CHECK(contains("::/0", "2001:db8::1"));
}

TEST_CASE("A network is of one family, and an IPv4 address that a socket shows as IPv6 is in the IPv4 one") {
    CHECK_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
    CHECK_FALSE(contains("::/0", "192.0.2.1"));
    PeerAddress mapped;
    mapped.family = PeerAddress::Family::ipv6;
    mapped.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10, 1, 2, 3};
    CHECK(Network::parse("10.0.0.0/8")->contains(mapped));
    CHECK(mapped.network() == parse_address("10.1.2.3")->network());  // and one client is one for the limits
    PeerAddress local;
    local.family = PeerAddress::Family::unix_socket;
    CHECK(Network::parse("unix")->contains(local));
    CHECK_FALSE(Network::parse("0.0.0.0/0")->contains(local));
    CHECK_FALSE(Network::parse("unix")->contains(mapped));
}

TEST_CASE("What is no network is nothing") {
    for (auto const* const wrong :
         {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/8/8", "::/129", "unix/1", "any"}) {
        INFO(wrong);
        CHECK_FALSE(Network::parse(wrong));
    }
}
