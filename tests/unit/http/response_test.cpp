#include <chrono>
#include <string>
#include <string_view>

#include <hubbub/http/response.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub::http;

namespace {
bool has_line(std::string const& response, std::string_view line) {
    return response.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
}
bool has_no_body_after_head(std::string const& response) { return response.find("\r\n\r\n") == response.size() - 4; }
}  // namespace

TEST_CASE("A page has its length, its type and the end of the connection") {
    CHECK(Response(Status::ok, "hi", "text/html").to_bytes() ==
          "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
}

TEST_CASE("The answer to a HEAD has the length but not the body") {
    std::string const bytes = Response(Status::ok, "hello").to_bytes(true);
    CHECK(has_line(bytes, "Content-Length: 5"));
    CHECK(has_no_body_after_head(bytes));
}

TEST_CASE("An answer without content has neither body nor length") {
    std::string const bytes = Response(Status::no_content, "ignored").to_bytes();
    CHECK(bytes.find("Content-") == std::string::npos);
    CHECK(has_no_body_after_head(bytes));
}

TEST_CASE("A header whose name or value would break the answer is refused") {
    Response response;
    auto const before = response.to_bytes();
    for (std::string_view const value : {std::string_view("a\r\nX: y"), std::string_view("a\nb"), std::string_view("a\rb"),
                                         std::string_view("a\0b", 3), std::string_view("\x7F")}) {
        CHECK_FALSE(response.set_header("X", value));
        CHECK_FALSE(response.set_header("Content-Type", value));
    }
    for (std::string_view const name : {"", "a b", "a:", "a\r\nb", "\xC3\xA4"}) CHECK_FALSE(response.set_header(name, "x"));
    for (std::string_view const name : {"content-length", "Connection", "Transfer-Encoding"})
        CHECK_FALSE(response.set_header(name, "1"));
    CHECK(response.to_bytes() == before);
}

TEST_CASE("A header that is set twice is replaced") {
    Response response;
    CHECK(response.set_header("X-A", "1"));
    CHECK(response.set_header("x-a", "2"));
    CHECK(response.header("X-a") == "2");
    CHECK(response.header("X-b").empty());
    CHECK(has_line(response.to_bytes(), "X-A: 2"));
    CHECK(response.to_bytes().find("x-a") == std::string::npos);
}

TEST_CASE("405 says what is allowed") {
    CHECK(has_line(Response(Refusal{Status::method_not_allowed, "no"}).to_bytes(), "Allow: GET, HEAD"));
    Response other(Status::method_not_allowed);
    REQUIRE(other.set_header("Allow", "GET"));
    CHECK(has_line(other.to_bytes(), "Allow: GET"));
}

TEST_CASE("426 says which protocol and version") {
    std::string const bytes = Response(Refusal{Status::upgrade_required, "no"}).to_bytes();
    CHECK(has_line(bytes, "Upgrade: websocket"));
    CHECK(has_line(bytes, "Sec-WebSocket-Version: 13"));
    CHECK(has_line(bytes, "Connection: close, Upgrade"));
}

TEST_CASE("429 and 503 say when to come again, if they are told") {
    Response response(Refusal{Status::service_unavailable, "full"});
    CHECK(response.to_bytes().find("Retry-After") == std::string::npos);
    response.retry_after(std::chrono::seconds(30));
    CHECK(has_line(response.to_bytes(), "Retry-After: 30"));
}

TEST_CASE("A refusal becomes one short sentence") {
    std::string const bytes = Response(Refusal{Status::bad_request, "Host is malformed"}).to_bytes();
    CHECK(bytes.starts_with("HTTP/1.1 400 Bad Request\r\n"));
    CHECK(bytes.ends_with("\r\n\r\nHost is malformed\n"));
}
