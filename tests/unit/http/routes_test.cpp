#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <hubbub/http/routes.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/http/parse.hpp"

using namespace hubbub;

namespace {
auto page(std::string text) {
    return [text = std::move(text)](http::Request const&) { return http::Response(http::Status::ok, text); };
}
std::string get(http::Routes& routes, std::string const& target) {
    std::optional<http::Response> answered;
    routes.answer(parse("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"), PeerAddress{.port = 7},
                  Verdict<http::Response>([&](http::Response page) { answered = std::move(page); }));
    REQUIRE(answered);
    http::Response const& response = *answered;
    return response.status() == http::Status::ok ? response.body() : std::to_string(static_cast<int>(response.status()));
}
}  // namespace

TEST_CASE("A path is answered by its handler, whatever its query is") {
    http::Routes routes;
    routes.add("/b", page("b")).add("/", page("root")).add("/a", page("a"));
    CHECK(get(routes, "/a") == "a");
    CHECK(get(routes, "/b?c=/a") == "b");
    CHECK(get(routes, "/") == "root");
    CHECK(get(routes, "http://a") == "root");
    CHECK(routes.contains("/a"));
    CHECK_FALSE(routes.contains("/c"));
}

TEST_CASE("What no handler has is 404") {
    http::Routes routes;
    CHECK(get(routes, "/") == "404");
    routes.add("/a", page("a"));
    for (std::string const target : {"/", "/A", "/a/", "/aa", "//a", "/%61"}) {
        CAPTURE(target);
        CHECK(get(routes, target) == "404");
    }
}

TEST_CASE("The last handler that is added for a path is the one that answers") {
    http::Routes routes;
    routes.add("/a", page("first")).add("/a", page("second"));
    CHECK(get(routes, "/a") == "second");
    CHECK(routes.size() == 1);
}

TEST_CASE("A path that no request has is refused when it is added") {
    http::Routes routes;
    for (std::string const path : {"", "a", "a/", "https://a/", "/a?b", "/a#b"}) {
        CAPTURE(path);
        CHECK_THROWS_AS(routes.add(path, page("a")), std::invalid_argument);
    }
    CHECK(routes.size() == 0);
}

TEST_CASE("Routes are added to routes") {
    http::Routes more;
    more.add("/a", page("new")).add("/b", page("b"));
    http::Routes routes;
    routes.add("/a", page("old")).add("/c", page("c")).add(std::move(more));
    CHECK(get(routes, "/a") == "new");
    CHECK(get(routes, "/b") == "b");
    CHECK(get(routes, "/c") == "c");
}

TEST_CASE("A handler may want to know where a request comes from, and may answer with a verdict") {
    http::Routes routes;
    routes.add("/port", [](http::Request const&, PeerAddress const& peer) {
        return http::Response(http::Status::ok, std::to_string(peer.port));
    });
    routes.add("/verdict", [](http::Request const& request, PeerAddress const&, Verdict<http::Response> verdict) {
        verdict.answer(http::Response(http::Status::ok, std::string(request.query())));
    });
    routes.add("/silent", [](http::Request const&, PeerAddress const&, Verdict<http::Response>) {});
    CHECK(get(routes, "/port") == "7");
    CHECK(get(routes, "/verdict?a=b") == "a=b");
    CHECK(get(routes, "/silent") == "500");
}
