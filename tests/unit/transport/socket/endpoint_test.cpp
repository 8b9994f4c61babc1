#include <hubbub/transport/socket/endpoint.hpp>

#include <string>

#include "tests/support/catch.hpp"

using hubbub::Endpoint;
using hubbub::PeerAddress;

TEST_CASE("an endpoint is what its text says") {
    Endpoint const v4("127.0.0.1:8080");
    CHECK(v4.family() == Endpoint::Family::ipv4);
    CHECK(v4.port() == 8080);
    Endpoint const v6("[2001:db8::1]:65535");
    CHECK(v6.family() == Endpoint::Family::ipv6);
    CHECK(v6.port() == 65535);
    Endpoint const path("unix:/tmp/a:b");
    CHECK(path.family() == Endpoint::Family::unix_socket);
    CHECK(path.path() == "/tmp/a:b");
    CHECK(path.is_file());
    CHECK_FALSE(Endpoint("unix:@name").is_file());
}

TEST_CASE("the text of an endpoint makes the same endpoint, also by way of a socket address") {
    for (std::string const text :
         {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:0", "[2001:db8::1]:443", "unix:/tmp/x", "unix:@name"}) {
        CAPTURE(text);
        Endpoint const endpoint(text);
        CHECK(endpoint.to_string() == text);
        sockaddr_storage storage;
        socklen_t const length = endpoint.to_sockaddr(storage);
        CHECK(Endpoint(reinterpret_cast<sockaddr const*>(&storage), length) == endpoint);
    }
}

TEST_CASE("a wrong endpoint is refused with its text and the reason") {
    struct Case {
        char const* text;
        char const* reason;
    };
    Case const cases[] = {
        {"", "the port is missing"},
        {"127.0.0.1", "the port is missing"},
        {"127.0.0.1:", "the port is missing"},
        {"127.0.0.1:65536", "the port 65536 is above 65535"},
        {"127.0.0.1:99999999999999999999", "is above 65535"},
        {"127.0.0.1:-1", "the port \"-1\" is not a number"},
        {"127.0.0.1:+1", "the port \"+1\" is not a number"},
        {"127.0.0.1:80x", "the port \"80x\" is not a number"},
        {"127.0.0.1: 80", "is not a number"},
        {"localhost:80", "\"localhost\" is not an IPv4 address (names are not resolved)"},
        {"127.0.0:80", "\"127.0.0\" is not an IPv4 address"},
        {":80", "\"\" is not an IPv4 address"},
        {"::1:80", "an IPv6 address is written in brackets"},
        {"[::1:80", "the ']' behind the IPv6 address is missing"},
        {"[::1]80", "a ':' and a port are expected behind the ']'"},
        {"[::1]", "a ':' and a port are expected behind the ']'"},
        {"[::1]x:80", "a ':' and a port are expected behind the ']'"},
        {"[::1]:", "the port is missing"},
        {"[127.0.0.1]:80", "\"127.0.0.1\" is not an IPv6 address"},
        {"unix:", "the path of the Unix socket is missing"},
        {"unix:@", "the path of the Unix socket is missing"},
    };
    for (Case const& each : cases) {
        CAPTURE(each.text);
        std::string what;
        try {
            Endpoint const endpoint(each.text);
        } catch (std::invalid_argument const& error) {
            what = error.what();
        }
        CHECK(what.find(each.reason) != std::string::npos);
        CHECK(what.find("\"" + std::string(each.text) + "\"") != std::string::npos);
    }
    CHECK_NOTHROW(Endpoint("unix:" + std::string(107, 'p')));
    CHECK_THROWS_AS(Endpoint("unix:" + std::string(108, 'p')), std::invalid_argument);
    CHECK_THROWS_AS(Endpoint(std::string("unix:a\0b", 8)), std::invalid_argument);
    CHECK_THROWS_AS(Endpoint(std::string("127.0.0.1\0:80", 13)), std::invalid_argument);
}

TEST_CASE("an IPv4 client of an IPv6 socket has an IPv4 address") {
    sockaddr_storage storage;
    (void)Endpoint("[::ffff:192.0.2.7]:99").to_sockaddr(storage);
    PeerAddress const mapped = hubbub::to_peer_address(reinterpret_cast<sockaddr const*>(&storage));
    (void)Endpoint("192.0.2.7:99").to_sockaddr(storage);
    CHECK(mapped == hubbub::to_peer_address(reinterpret_cast<sockaddr const*>(&storage)));
    CHECK(mapped.to_string() == "192.0.2.7");
    CHECK(mapped.port == 99);
}
