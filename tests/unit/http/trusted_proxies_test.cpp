#include <hubbub/http/trusted_proxies.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/unit/http/parse.hpp"

using namespace hubbub;
using http::ProxyTrust;

namespace {

std::string origin(http::TrustedProxies const& options, std::string_view nearest, std::string_view lines) {
    auto const request = parse("GET / HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n");
    return ProxyTrust(options).origin_of(request, *parse_address(nearest)).to_string();
}

}  // namespace

TEST_CASE("A header is believed only from a proxy that is listed") {
    CHECK(origin({}, "10.0.0.1", "X-Forwarded-For: 192.0.2.1\r\n") == "10.0.0.1");
    CHECK(origin({.networks = {"10.0.0.0/8"}}, "10.0.0.1", "X-Forwarded-For: 192.0.2.1\r\n") == "192.0.2.1");
    CHECK(origin({.networks = {"10.0.0.0/8"}}, "203.0.113.5", "X-Forwarded-For: 192.0.2.1\r\n") == "203.0.113.5");
    CHECK(origin({.networks = {"10.0.0.0/8"}}, "10.0.0.1", "") == "10.0.0.1");
}

TEST_CASE("It is the nearest hop that is no proxy of ours: what the client made up stands behind it") {
    http::TrustedProxies const ours{.networks = {"10.0.0.0/8"}};
    CHECK(origin(ours, "10.0.0.1", "X-Forwarded-For: 127.0.0.1, 192.0.2.7, 10.0.0.2\r\n") == "192.0.2.7");
    CHECK(origin(ours, "10.0.0.1", "X-Forwarded-For: 10.9.9.9, 10.0.0.2\r\n") == "10.9.9.9");  // somebody inside
    CHECK(origin(ours, "10.0.0.1", "X-Forwarded-For: 192.0.2.7, unknown\r\n") == "10.0.0.1");
    CHECK(origin(ours, "10.0.0.1", "X-Forwarded-For: 192.0.2.7, unknown, 10.0.0.2\r\n") == "10.0.0.2");
}

TEST_CASE("Only the header that the proxies write is read") {
    auto const* const both = "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.2\r\n";
    CHECK(origin({.networks = {"10.0.0.1"}}, "10.0.0.1", both) == "192.0.2.1");
    CHECK(origin({.networks = {"10.0.0.1"}, .header = http::ForwardedHeader::forwarded}, "10.0.0.1", both) == "192.0.2.2");
    CHECK(origin({.networks = {"10.0.0.1"}, .header = http::ForwardedHeader::none}, "10.0.0.1", both) == "10.0.0.1");
}

TEST_CASE("A network that is none is refused with its name") {
    CHECK_NOTHROW(http::TrustedProxies{.networks = {"10.0.0.0/8", "unix"}}.check());
    try {
        http::TrustedProxies{.networks = {"10.0.0.0/8", "10.0.0.0/99"}}.check();
        FAIL("nothing was thrown");
    } catch (std::invalid_argument const& error) {
        CHECK(std::string(error.what()).find("HubOptions::proxies.networks: \"10.0.0.0/99\"") == 0);
    }
}
