#include <hubbub/policy/origin.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/unit/http/parse.hpp"

using hubbub::OriginCheck;

namespace {

/// Whether a page of `origin` passes, on a server that was asked for as hub.example:8080; without Origin if it is empty.
bool lets_in(OriginCheck const& policy, std::string_view origin) {
    std::string text = "GET / HTTP/1.1\r\nHost: hub.example:8080\r\n";
    if (!origin.empty()) text.append("Origin: ").append(origin).append("\r\n");
    return policy.passes(parse(text + "\r\n"));
}

}  // namespace

TEST_CASE("An origin check lets pages of this host in, whatever their scheme, and who is no browser") {
    OriginCheck const usual;
    CHECK(lets_in(usual, "http://hub.example:8080"));
    CHECK(lets_in(usual, "https://HUB.example:8080"));
    CHECK(lets_in(usual, ""));
}

TEST_CASE("An origin check refuses what it cannot tell to be this host's") {
    OriginCheck const usual;
    for (auto const* const wrong : {"null", "http://hub.example", "http://hub.example:80", "http://hub.example:80800",
                                    "http://hub.example:8080.evil.example", "http://evil.example/hub.example:8080",
                                    "http://evil-hub.example:8080", "http://sub.hub.example:8080", "hub.example:8080",
                                    "http://hub.example:8080/", "http://user@hub.example:8080", "://", "http://", "*"}) {
        INFO(wrong);
        CHECK_FALSE(lets_in(usual, wrong));
    }
    CHECK_FALSE(lets_in({.absent_allowed = false}, ""));
}

TEST_CASE("With a list exactly these origins pass, scheme and port with them") {
    OriginCheck const listed{.allowed = {"https://shop.example", "http://localhost:3000"}};
    CHECK(lets_in(listed, "https://shop.example"));
    CHECK(lets_in(listed, "http://localhost:3000"));
    for (auto const* const wrong : {"http://shop.example", "https://shop.example:444", "https://shop.example.evil.example",
                                    "https://shop", "http://hub.example:8080", "null", "http://localhost"}) {
        INFO(wrong);
        CHECK_FALSE(lets_in(listed, wrong));
    }
    CHECK(lets_in(OriginCheck::off(), "null"));
}

TEST_CASE("What a list says that no browser ever says is refused, because it would let nobody in") {
    for (auto const* const wrong :
         {"", "*", "null", "shop.example", "localhost:3000", "https://", "://shop.example", "https://shop.example/",
          "https://shop.example/page", "https://*.shop.example", "https://shop.example:443", "http://shop.example:80",
          "https://ada@shop.example", "https://shop.example, https://hub.example"}) {
        INFO(wrong);
        CHECK_THROWS_AS((OriginCheck{.allowed = {"https://shop.example", wrong}}.check()), std::invalid_argument);
    }
    CHECK_NOTHROW((
        OriginCheck{.allowed = {"https://shop.example", "http://localhost:3000", "http://[::1]:3000", "https://shop.example:80",
                                "http://shop.example:443", "https://shop.example:8443", "chrome-extension://abcdef"}}
            .check()));
    CHECK_NOTHROW(OriginCheck{}.check());
}
