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
    auto const response = routes.answer(parse("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"));
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

TEST_CASE("Routes are added to routes") {
    http::Routes more;
    more.add("/a", page("new")).add("/b", page("b"));
    http::Routes routes;
    routes.add("/a", page("old")).add("/c", page("c")).add(std::move(more));
    CHECK(get(routes, "/a") == "new");
    CHECK(get(routes, "/b") == "b");
    CHECK(get(routes, "/c") == "c");
}
