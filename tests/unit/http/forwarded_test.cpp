#include <hubbub/http/forwarded.hpp>

#include <string>
#include <string_view>

#include "tests/unit/http/parse.hpp"

using hubbub::http::ForwardedHeader;

namespace {

/// The hops of a request with those header lines, the nearest first; "?" is one without an address.
std::string hops(std::string_view lines, ForwardedHeader which) {
    auto const request = parse("GET / HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n");
    std::string result;
    visit_hops(request, which, [&](auto const& hop) {
        result += (result.empty() ? "" : " ") + (hop ? hop->to_string() : "?");
        return true;
    });
    return result;
}
std::string for_lines(std::string_view lines) { return hops(lines, ForwardedHeader::x_forwarded_for); }
std::string forwarded(std::string_view lines) { return hops(lines, ForwardedHeader::forwarded); }

}  // namespace

TEST_CASE("X-Forwarded-For is read from the right, over all of its lines") {
    CHECK(for_lines("X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\nX-Other: 1\r\nx-forwarded-for: 192.0.2.3\r\n") ==
          "192.0.2.3 192.0.2.2 192.0.2.1");
    CHECK(for_lines("X-Forwarded-For: 192.0.2.1:4711, 2001:db8::1, [2001:db8::2], [2001:db8::3]:80\r\n") ==
          "2001:db8:0:0:0:0:0:3 2001:db8:0:0:0:0:0:2 2001:db8:0:0:0:0:0:1 192.0.2.1");
    CHECK(for_lines("X-Forwarded-For: ,192.0.2.1 ,, \r\n") == "192.0.2.1");
    CHECK(for_lines("X-Forwarded-For:\r\n").empty());
    CHECK(for_lines("Forwarded: for=192.0.2.1\r\n").empty());
}

TEST_CASE("A hop that cannot be read is there, without an address") {
    CHECK(for_lines("X-Forwarded-For: 192.0.2.1, unknown, 192.0.2.2\r\n") == "192.0.2.2 ? 192.0.2.1");
    CHECK(for_lines("X-Forwarded-For: [2001:db8::1, 1.2.3.4.5, 999.1.1.1\r\n") == "? ? ?");
}

TEST_CASE("Forwarded is read as RFC 7239 has it") {
    CHECK(forwarded("Forwarded: for=192.0.2.43, for=\"[2001:db8:cafe::17]:4711\"\r\n") ==
          "2001:db8:cafe:0:0:0:0:17 192.0.2.43");
    CHECK(forwarded("Forwarded: proto=http;by=203.0.113.43;For=\"192.0.2.60:80\"\r\nForwarded: for=_hidden, for=unknown\r\n") ==
          "? ? 192.0.2.60");
    CHECK(forwarded("Forwarded: for=\"192\\.0.2.7\"\r\n") == "192.0.2.7");
    CHECK(forwarded("Forwarded: proto=https\r\n") == "?");
    CHECK(forwarded("X-Forwarded-For: 192.0.2.1\r\n").empty());
}

TEST_CASE("A comma or a semicolon in a quoted string ends nothing") {
    CHECK(forwarded("Forwarded: host=\"a, for=192.0.2.66\";for=192.0.2.1\r\n") == "192.0.2.1");
    CHECK(forwarded("Forwarded: host=\"a;for=192.0.2.66\";for=192.0.2.1\r\n") == "192.0.2.1");
    CHECK(forwarded("Forwarded: host=\"\\\", for=192.0.2.66\";for=192.0.2.1\r\n") == "192.0.2.1");
}

TEST_CASE("A quote of a stranger hides nothing of what a proxy has added") {
    CHECK(for_lines("X-Forwarded-For: \", 203.0.113.9\r\n").starts_with("203.0.113.9"));
    CHECK(for_lines("X-Forwarded-For: \"a, b\\, 203.0.113.9\r\n").starts_with("203.0.113.9"));
    CHECK(forwarded("Forwarded: for=\", for=203.0.113.9\r\n").starts_with("203.0.113.9"));
    CHECK(forwarded("Forwarded: for=\"\r\nForwarded: for=203.0.113.9\r\n").starts_with("203.0.113.9"));
}
