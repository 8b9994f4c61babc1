#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/http/request.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/http/parse.hpp"

using namespace hubbub;

TEST_CASE("Path and query are told apart") {
    auto const simple = parse("GET /chat?room=1&x=/a?b HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(simple.method() == "GET");
    CHECK_FALSE(simple.is_head());
    CHECK(simple.target() == "/chat?room=1&x=/a?b");
    CHECK(simple.path() == "/chat");
    CHECK(simple.query() == "room=1&x=/a?b");
    CHECK(simple.version() == "HTTP/1.1");
    CHECK(simple.host() == "a");
    CHECK(parse("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").is_head());
    CHECK(parse("GET /? HTTP/1.1\r\nHost: a\r\n\r\n").query().empty());
}

TEST_CASE("The host of an absolute target goes before the Host header") {
    auto const request = parse("GET http://example.com:81/a/b?c HTTP/1.1\r\nHost: other\r\n\r\n");
    CHECK(request.target() == "http://example.com:81/a/b?c");
    CHECK(request.host() == "example.com:81");
    CHECK(request.path() == "/a/b");
    CHECK(request.query() == "c");
    auto const short_one = parse("GET ws://example.com?c HTTP/1.1\r\nHost: other\r\n\r\n");
    CHECK(short_one.host() == "example.com");
    CHECK(short_one.path() == "/");
    CHECK(short_one.query() == "c");
    CHECK(parse("GET HTTPS://example.com HTTP/1.1\r\nHost: other\r\n\r\n").path() == "/");
}

TEST_CASE("Headers are found without regard to case, the first of a name first") {
    auto const request = parse("GET / HTTP/1.1\r\nHost: a\r\nX-One:  1 \t\r\nx-one: 2\r\nEmpty:\r\n\r\n");
    CHECK(request.header("X-ONE") == "1");
    CHECK(request.count("x-One") == 2);
    CHECK(request.header("empty") == "");
    CHECK_FALSE(request.header("X-On"));
    CHECK(request.count("none") == 0);
    std::string all;
    for (http::Header const header : request.headers()) all.append(header.name).append("=").append(header.value).append(";");
    CHECK(all == "Host=a;X-One=1;x-one=2;Empty=;");
    CHECK(request.headers().size() == 4);
}

TEST_CASE("Tokens are compared whole, over lists and repeated lines") {
    auto const request = parse(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, x\r\nConnection:UPGRADE\r\nUpgrade: websocketx, h2c\r\n\r\n");
    CHECK(request.has_token("connection", "upgrade"));
    CHECK(request.has_token("Connection", "Keep-Alive"));
    CHECK(request.has_token("Upgrade", "h2c"));
    CHECK_FALSE(request.has_token("Upgrade", "websocket"));
    CHECK_FALSE(request.has_token("Connection", "keep"));
    CHECK_FALSE(request.has_token("Host", "b"));
}

TEST_CASE("A cookie is found by its exact name") {
    auto const request =
        parse("GET / HTTP/1.1\r\nHost: a\r\nCookie: xsid=0; sid=1=2;  b = 3 ;flag\r\ncookie: late=4; sid=9\r\n\r\n");
    CHECK(request.cookie("sid") == "1=2");
    CHECK(request.cookie("xsid") == "0");
    CHECK(request.cookie("b") == "3");
    CHECK(request.cookie("late") == "4");
    CHECK_FALSE(request.cookie("SID"));
    CHECK_FALSE(request.cookie("flag"));
    CHECK_FALSE(request.cookie(""));
}

TEST_CASE("What a request gave stays valid when the request moves") {
    auto request = parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    std::string_view const host = request.host();
    auto const moved = std::make_unique<http::Request>(std::move(request));
    CHECK(host == "a");
    CHECK(moved->host().data() == host.data());
}

TEST_CASE("A parameter of the query is hidden where it stands, and nothing else changes") {
    auto request = parse("GET /p?a=1&token=secret&b=2&token=more&tokens=x&token HTTP/1.1\r\nHost: a.test\r\n\r\n");
    request.hide_parameter("token");
    CHECK(request.target() == "/p?a=1&token=******&b=2&token=****&tokens=x&token");
    CHECK(request.query() == "a=1&token=******&b=2&token=****&tokens=x&token");
    CHECK(request.header("Host") == "a.test");
    request.hide_parameter("");
    CHECK(request.path() == "/p");
    auto without = parse("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    without.hide_parameter("token");
    CHECK(without.target() == "/");
}
