#include <algorithm>
#include <string>
#include <string_view>

#include <hubbub/core/network.hpp>
#include <hubbub/http/local_only.hpp>

#include "tests/unit/http/parse.hpp"

namespace local_only {
using hubbub::PeerAddress;

inline bool passes(PeerAddress const& peer, std::string_view host, std::string_view lines = "") {
    return hubbub::http::is_local(parse("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n" + std::string(lines) + "\r\n"),
                                  peer);
}
inline PeerAddress at(std::string_view address) {
    auto const peer = hubbub::parse_address(address);
    REQUIRE(peer);
    return *peer;
}
/// As a socket for both families shows an IPv4 client.
inline PeerAddress mapped(PeerAddress const& ipv4) {
    PeerAddress peer{.family = PeerAddress::Family::ipv6};
    peer.bytes[10] = peer.bytes[11] = 0xFF;
    std::copy_n(ipv4.bytes.begin(), 4, peer.bytes.begin() + 12);
    return peer;
}
inline PeerAddress const unix_socket{.family = PeerAddress::Family::unix_socket};
}  // namespace local_only

TEST_CASE("Local is a peer with a loopback address, in each of its forms") {
    using namespace local_only;
    for (std::string_view const address : {"127.0.0.1", "127.255.255.254", "::1"}) {
        CAPTURE(address);
        CHECK(passes(at(address), "localhost"));
    }
    CHECK(passes(mapped(at("127.0.0.1")), "localhost"));

    for (std::string_view const address : {"128.0.0.1", "126.255.255.255", "0.0.0.0", "192.0.2.127", "10.0.0.1", "::", "::2",
                                           "::7f00:1", "1::1", "fe80::1", "7f00::1"}) {
        CAPTURE(address);
        CHECK_FALSE(passes(at(address), "localhost"));
    }
    CHECK_FALSE(passes(mapped(at("192.0.2.1")), "localhost"));
    CHECK_FALSE(passes(PeerAddress{}, "localhost"));
}

TEST_CASE("Local is a host that is a loopback name or address") {
    using namespace local_only;
    auto const host = GENERATE(values<std::string_view>({"localhost", "localhost:9001", "LocalHost", "hub.localhost",
                                                         "a.b.LOCALHOST:80", "127.0.0.1", "127.0.0.1:9001", "127.8.9.10",
                                                         "[::1]", "[::1]:9001", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]"}));
    CAPTURE(host);
    CHECK(passes(at("127.0.0.1"), host));
}

TEST_CASE("The name of a stranger that leads to a loopback address is not local") {
    using namespace local_only;
    auto const host = GENERATE(values<std::string_view>({"evil.example",  "127.0.0.1.evil.example",
                                                         "127.0.0.1.",    "localhost.evil",
                                                         "localhost.",    "localhost.evil.example:80",
                                                         "evillocalhost", "evil-localhost",
                                                         ".localhost",    "localhos",
                                                         "ocalhost",      "127.1",
                                                         "127.0.0.256",   "127.0.0.1.1",
                                                         "0127.0.0.1",    "0.0.0.0",
                                                         "128.0.0.1",     "[::2]",
                                                         "[::]",          "[::ffff:192.0.2.1]",
                                                         "[127.0.0.1:]",  "192.0.2.1"}));
    CAPTURE(host);
    CHECK_FALSE(passes(at("127.0.0.1"), host));
    CHECK_FALSE(passes(at("::1"), host));
}

TEST_CASE("What an absolute target asks for is the host") {
    using namespace local_only;
    PeerAddress const peer = at("127.0.0.1");
    auto const asked = [&](std::string const& target, std::string const& host) {
        return hubbub::http::is_local(parse("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"), peer);
    };
    CHECK(asked("http://localhost:9001/", "localhost:9001"));
    CHECK_FALSE(asked("http://evil.example/", "evil.example"));
}

TEST_CASE("Over a Unix socket any host is local") {
    using namespace local_only;
    CHECK(passes(unix_socket, "evil.example"));
    CHECK(passes(unix_socket, "localhost"));
}

TEST_CASE("What a proxy says that it handed on is not local") {
    using namespace local_only;
    auto const line = GENERATE(
        values<std::string_view>({"X-Forwarded-For: 127.0.0.1\r\n", "x-forwarded-for:\r\n", "X-Forwarded-Proto: https\r\n",
                                  "X-Forwarded-Host: localhost\r\n", "Forwarded: for=127.0.0.1\r\n", "X-Real-IP: 127.0.0.1\r\n",
                                  "via: 1.1 proxy\r\n", "Accept: */*\r\nVia: 1.1 proxy\r\n"}));
    CAPTURE(line);
    CHECK_FALSE(passes(at("127.0.0.1"), "localhost", line));
    CHECK_FALSE(passes(unix_socket, "localhost", line));
}

TEST_CASE("What a browser asks for the page of another site is not local") {
    using namespace local_only;
    CHECK_FALSE(passes(at("127.0.0.1"), "localhost", "Sec-Fetch-Site: cross-site\r\n"));
    for (std::string_view const site : {"none", "same-origin", "same-site"}) {
        CAPTURE(site);
        CHECK(passes(at("127.0.0.1"), "localhost", "Sec-Fetch-Site: " + std::string(site) + "\r\n"));
    }
}

TEST_CASE("Headers that only look like those of a proxy do not matter") {
    using namespace local_only;
    auto const line = GENERATE(values<std::string_view>(
        {"X-Forwarded: a\r\n", "Forwarded-To: a\r\n", "X-Real: a\r\n", "Viaduct: a\r\n", "User-Agent: Via\r\n"}));
    CAPTURE(line);
    CHECK(passes(at("127.0.0.1"), "localhost", line));
}
