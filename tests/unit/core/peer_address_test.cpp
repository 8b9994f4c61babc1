#include <hubbub/core/peer_address.hpp>

#include <unordered_set>

#include "tests/support/catch.hpp"

using hubbub::PeerAddress;
using Family = PeerAddress::Family;

namespace {

PeerAddress ipv4(std::uint8_t last, std::uint16_t port = 1000) {
    PeerAddress address;
    address.family = Family::ipv4;
    address.bytes = {192, 0, 2, last};
    address.port = port;
    return address;
}

PeerAddress ipv6(std::uint8_t eighth, std::uint8_t last) {
    PeerAddress address;
    address.family = Family::ipv6;
    address.bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, eighth, 0, 0, 0, 0, 0, 0, 0, last};
    return address;
}

}  // namespace

TEST_CASE("Addresses are written as people write them, without the port") {
    CHECK(ipv4(1).to_string() == "192.0.2.1");
    CHECK(ipv4(255).to_string() == "192.0.2.255");
    CHECK(ipv6(0, 1).to_string() == "2001:db8:0:0:0:0:0:1");
    CHECK(ipv6(0x10, 0xff).to_string() == "2001:db8:0:10:0:0:0:ff");
    PeerAddress local;
    local.family = Family::unix_socket;
    CHECK(local.to_string() == "unix");
    CHECK(PeerAddress{}.to_string() == "none");
}

TEST_CASE("The network of an IPv4 address is the address, that of an IPv6 one its /64, both without the port") {
    CHECK(ipv4(1, 1).network() == ipv4(1, 2).network());
    CHECK(ipv4(1).network() != ipv4(2).network());
    CHECK(ipv4(1).network().port == 0);
    CHECK(ipv6(0, 1).network() == ipv6(0, 200).network());
    CHECK(ipv6(0, 1).network() != ipv6(1, 1).network());
    CHECK(ipv6(0, 1) != ipv6(0, 2));
}

TEST_CASE("Equal addresses have equal hashes, and those of neighbours differ") {
    CHECK(std::hash<PeerAddress>{}(ipv4(7)) == std::hash<PeerAddress>{}(ipv4(7)));
    std::unordered_set<std::size_t> hashes;
    for (std::uint8_t last = 0; last < 200; ++last) hashes.insert(std::hash<PeerAddress>{}(ipv4(last)));
    for (std::uint16_t port = 2000; port < 2200; ++port) hashes.insert(std::hash<PeerAddress>{}(ipv4(1, port)));
    CHECK(hashes.size() == 400);
}
