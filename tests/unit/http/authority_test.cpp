#include <string_view>

#include <hubbub/http/authority.hpp>

#include "tests/support/catch.hpp"

using hubbub::http::Authority;
using hubbub::http::parse_authority;

TEST_CASE("A well-formed authority is read into host and port") {
    struct Row {
        std::string_view text, host, port;
    };
    auto const row = GENERATE(values<Row>({{"example.com", "example.com", ""},
                                           {"example.com:8080", "example.com", "8080"},
                                           {"127.0.0.1:1", "127.0.0.1", "1"},
                                           {"localhost:65535", "localhost", "65535"},
                                           {"[::1]", "[::1]", ""},
                                           {"[::ffff:1.2.3.4]:443", "[::ffff:1.2.3.4]", "443"},
                                           {"a_b-c~d", "a_b-c~d", ""}}));
    CAPTURE(row.text);
    Authority authority;
    REQUIRE(parse_authority(row.text, authority));
    CHECK(authority.host == row.host);
    CHECK(authority.port == row.port);
}

TEST_CASE("A malformed authority is refused") {
    auto const text = GENERATE(values<std::string_view>(
        {"",       ":80",          "a b",     "user@a", "user:pass@a", "a:",       "a:0",      "a:65536", "a:123456",
         "a:8x",   "a:-1",         "a:80:80", "a,b",    "a/b",         "a%41",     "[::1",     "[]",      "[:]",
         "[::1]x", "[::1%25eth0]", "[g::1]",  "::1",    "a\tb",        "http://a", "\xC3\xA4", "a?b"}));
    CAPTURE(text);
    Authority authority;
    CHECK_FALSE(parse_authority(text, authority));
}

TEST_CASE("Authorities compare by host without case, and by port") {
    CHECK(Authority{"Example.COM", "80"} == Authority{"example.com", "80"});
    CHECK_FALSE(Authority{"example.com", "80"} == Authority{"example.com", "81"});
    CHECK_FALSE(Authority{"example.com", ""} == Authority{"example.org", ""});
}
