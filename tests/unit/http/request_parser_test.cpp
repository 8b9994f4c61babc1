#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/http/request_parser.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;
using http::Status;
using State = http::Progress::State;

namespace {

std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

/// How a request ended, in words that can be compared: "200 consumed target", or the status of the refusal.
struct Ending {
    State state = State::need_more;
    unsigned status = 0;
    std::size_t consumed = 0;
    std::string reason;
    bool operator==(Ending const&) const = default;
};

template <class Cut>
Ending feed(std::string_view text, http::ParserLimits const& limits, Cut&& next_size) {
    http::RequestParser parser(limits);
    Ending ending;
    while (!text.empty() && ending.state == State::need_more) {
        auto const piece = text.substr(0, next_size(text.size()));
        auto const progress = parser.feed(bytes_of(piece));
        ending.state = progress.state;
        // How much of a refused request was looked at is nobody's business.
        ending.consumed += progress.consumed;
        text.remove_prefix(piece.size());
    }
    if (ending.state == State::refused) {
        ending.status = static_cast<unsigned>(parser.refusal().status);
        ending.reason = parser.refusal().reason;
        ending.consumed = 0;
    }
    return ending;
}

/// Whole; byte by byte; and cut once at every place: all must end alike.
Ending every_way(std::string_view text, http::ParserLimits const& limits = {}) {
    Ending const whole = feed(text, limits, [](std::size_t left) { return left; });
    REQUIRE(feed(text, limits, [](std::size_t) { return std::size_t{1}; }) == whole);
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
        bool first = true;
        Ending const parts = feed(text, limits, [&](std::size_t left) { return std::exchange(first, false) ? cut : left; });
        if (!(parts == whole)) {
            CAPTURE(cut);
            REQUIRE(parts == whole);
        }
    }
    return whole;
}

unsigned refused(std::string_view text, http::ParserLimits const& limits = {}) {
    CAPTURE(text);
    Ending const ending = every_way(text, limits);
    CHECK(ending.state == State::refused);
    CHECK_FALSE(ending.reason.empty());
    return ending.status;
}

/// A request with these header lines behind its Host.
std::string with(std::string_view lines) { return std::string("GET / HTTP/1.1\r\nHost: a\r\n").append(lines).append("\r\n"); }

}  // namespace

TEST_CASE("A request ends at its empty line, and what follows stays the caller's") {
    std::string const request = "GET /x HTTP/1.1\r\nHost: example.com\r\nUser-Agent: t\r\n\r\n";
    CHECK(every_way(request) == Ending{State::complete, 0, request.size(), ""});
    CHECK(every_way(request + std::string("\x81\x85\x00\n\r\n", 6)) == Ending{State::complete, 0, request.size(), ""});
    for (std::size_t size = 0; size < request.size(); ++size) {
        CAPTURE(size);
        CHECK(feed(std::string_view(request).substr(0, size), {}, [](std::size_t left) { return left; }).state ==
              State::need_more);
    }
}

TEST_CASE("The request lines of HTTP/1.1 that a hub serves are accepted") {
    auto const line = GENERATE(
        values<std::string_view>({"GET / HTTP/1.1", "HEAD / HTTP/1.1", "GET /a%20b?c=d&e=%7F HTTP/1.1", "GET http://a HTTP/1.1",
                                  "GET https://a:1/x HTTP/1.1", "GET WS://[::1]:80/x HTTP/1.1", "GET //x HTTP/1.1",
                                  "GET /!$&'()*+,;=:@-._~[]|\" HTTP/1.1"}));
    CAPTURE(line);
    CHECK(every_way(std::string(line) + "\r\nHost: a\r\n\r\n").state == State::complete);
}

TEST_CASE("A malformed request line is 400") {
    auto const line = GENERATE(values<std::string_view>({"",
                                                         "GET",
                                                         "GET /",
                                                         "GET  / HTTP/1.1",
                                                         "GET /a b HTTP/1.1",
                                                         " GET / HTTP/1.1",
                                                         "GET / HTTP/1.1 ",
                                                         "GET / http/1.1",
                                                         "GET / HTTP/11",
                                                         "GET / HTTP/1.1x",
                                                         "GET / HTTP/x.1",
                                                         "G@T / HTTP/1.1",
                                                         "GET /#frag HTTP/1.1",
                                                         "GET * HTTP/1.1",
                                                         "GET a HTTP/1.1",
                                                         "GET example.com:80 HTTP/1.1",
                                                         "GET ftp://a/ HTTP/1.1",
                                                         "GET http:///x HTTP/1.1",
                                                         "GET http://user@a/ HTTP/1.1",
                                                         "GET http://a:b/ HTTP/1.1",
                                                         "GET http://a b/ HTTP/1.1",
                                                         "GET /\xC3\xA4 HTTP/1.1",
                                                         "GET /\x7F HTTP/1.1",
                                                         "GET /\t HTTP/1.1",
                                                         "GET\t/ HTTP/1.1",
                                                         "GET / HTTP/1.1\r",
                                                         "GET /\r HTTP/1.1",
                                                         "\x16\x03\x01",
                                                         "GET ?a HTTP/1.1",
                                                         "GET://a HTTP/1.1"}));
    CHECK(refused(std::string(line) + "\r\nHost: a\r\n\r\n") == 400);
}

TEST_CASE("Bytes that begin no request are refused before a line is whole") {
    for (std::string_view const text : {"\x16\x03\x01\x02", "\r\n", "\n", " ", "\x81"}) CHECK(refused(text) == 400);
    CHECK(refused(std::string_view("\0", 1)) == 400);
}

TEST_CASE("Methods other than GET and HEAD are 405") {
    for (std::string_view const method :
         {"POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH", "get", "GETX", "HEAD1"}) {
        CHECK(refused(std::string(method) + " / HTTP/1.1\r\n") == 405);
    }
}

TEST_CASE("Versions other than 1.1 are 505") {
    for (std::string_view const version : {"HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2"}) {
        CHECK(refused("GET / " + std::string(version) + "\r\nHost: a\r\n\r\n") == 505);
    }
    CHECK(refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 505);
}

TEST_CASE("Lines end with CR LF and nothing else") {
    CHECK(refused("GET / HTTP/1.1\nHost: a\n\n") == 400);
    CHECK(refused("GET / HTTP/1.1\r\nHost: a\n\r\n") == 400);
    CHECK(refused("GET / HTTP/1.1\r\nHost: a\r\n\n") == 400);
    CHECK(refused("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n") == 400);
    CHECK(refused(with("X: a\rb\r\n")) == 400);
    CHECK(refused(with("X: a\nb\r\n")) == 400);
    CHECK(refused(with("\rX: a\r\n")) == 400);
}

TEST_CASE("A malformed header line is 400") {
    auto const line = GENERATE(values<std::string_view>({"X : a", " X: a", "\tX: a", "X", ": a", "X Y: a", "X\t: a", "(X): a",
                                                         "X\x7F: a", "\xC3\xA4: a", "X: a\r\n folded", "X: a\r\n\tfolded",
                                                         "X: a\x01", "X: \x7F", "X: a\x1B[0m", "X[]: a", "X@: a", "\"X\": a"}));
    CHECK(refused(with(std::string(line) + "\r\n")) == 400);
}

TEST_CASE("NUL is refused wherever it is") {
    std::string const good = "GET /abc HTTP/1.1\r\nHost: abc\r\nName: value\r\n\r\n";
    for (std::size_t at = 0; at < good.size(); ++at) {
        std::string bad = good;
        bad[at] = '\0';
        CAPTURE(at);
        // The very last byte is the line feed that would have ended it.
        if (at + 1 == good.size())
            CHECK(every_way(bad).state == State::need_more);
        else
            CHECK(refused(bad) == 400);
    }
}

TEST_CASE("Header values may have any visible character, spaces, tabs and bytes beyond ASCII") {
    http::RequestParser parser;
    std::string const text = with("X:a\r\nY:  a \t b  \r\nZ: \xC3\xA4\xFF\r\nW:\r\n");
    REQUIRE(every_way(text).state == State::complete);
    REQUIRE(parser.feed(bytes_of(text)).state == State::complete);
    auto const request = std::move(parser).take();
    CHECK(request.header("X") == "a");
    CHECK(request.header("Y") == "a \t b");
    CHECK(request.header("Z") == "\xC3\xA4\xFF");
    CHECK(request.header("W") == "");
}

TEST_CASE("Host stands there exactly once and is well formed") {
    CHECK(refused("GET / HTTP/1.1\r\n\r\n") == 400);
    CHECK(refused("GET / HTTP/1.1\r\nHostx: a\r\n\r\n") == 400);
    CHECK(refused("GET http://a/ HTTP/1.1\r\n\r\n") == 400);
    CHECK(refused(with("Host: a\r\n")) == 400);
    CHECK(refused(with("HOST: b\r\n")) == 400);
    for (std::string_view const host :
         {"", "a b", "user@a", "a:", "a:x", "a:0", "a:65536", "a,b", "a/b", "http://a", "[::1", "\xC3\xA4"}) {
        CHECK(refused("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n") == 400);
    }
    for (std::string_view const host : {"a", "a.b:80", "127.0.0.1", "[::1]:8080", " a ", "\ta"}) {
        CAPTURE(host);
        CHECK(every_way("GET / HTTP/1.1\r\nHost:" + std::string(host) + "\r\n\r\n").state == State::complete);
    }
}

TEST_CASE("Doubled singular headers are refused, doubled lists are not") {
    for (std::string_view const name :
         {"Origin", "Authorization", "Content-Length", "Sec-WebSocket-Key", "Sec-WebSocket-Version"}) {
        std::string const line = std::string(name) + ": 0\r\n";
        CAPTURE(name);
        CHECK(every_way(with(line)).state == State::complete);
        CHECK(refused(with(line + line)) == 400);
        std::string other = line;
        other[0] = static_cast<char>(other[0] + 32);  // in lower case
        CHECK(refused(with(line + "X: y\r\n" + other)) == 400);
    }
    for (std::string_view const name :
         {"Connection", "Upgrade", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Cookie", "Via"}) {
        std::string const line = std::string(name) + ": a\r\n";
        CAPTURE(name);
        CHECK(every_way(with(line + line)).state == State::complete);
    }
}

TEST_CASE("A body is refused in every way that it can be announced") {
    CHECK(every_way(with("Content-Length: 0\r\n")).state == State::complete);
    CHECK(every_way(with("Content-Length: 000\r\n")).state == State::complete);
    CHECK(refused(with("Content-Length: 1\r\n")) == 413);
    CHECK(refused(with("Content-Length: 18446744073709551616\r\n")) == 413);
    for (std::string_view const length : {"", "-0", "+0", "0x0", "0 0", "0,0", "0, 0", "zero", "0.0", "\xD9\xA0"}) {
        CHECK(refused(with("Content-Length: " + std::string(length) + "\r\n")) == 400);
    }
    CHECK(refused(with("Transfer-Encoding: chunked\r\n")) == 400);
    CHECK(refused(with("transfer-encoding: identity\r\n")) == 400);
    CHECK(refused(with("Content-Length: 0\r\nTransfer-Encoding:\r\n")) == 400);
}

TEST_CASE("The whole request is bounded, to the byte") {
    http::ParserLimits const limits{100, 50, 100};
    std::string const rest = "\r\n\r\n";
    std::string const begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    std::string const fits = begin + std::string(100 - begin.size() - rest.size(), 'x') + rest;
    REQUIRE(fits.size() == 100);
    CHECK(every_way(fits, limits).state == State::complete);
    CHECK(every_way(fits + "beyond", limits) == Ending{State::complete, 0, 100, ""});
    CHECK(refused(begin + std::string(101 - begin.size() - rest.size(), 'x') + rest, limits) == 431);
    CHECK(refused(begin + std::string(1000, 'x'), limits) == 431);
}

TEST_CASE("The target is bounded, to the byte") {
    http::ParserLimits const limits{8192, 50, 100};
    auto const request = [](std::string_view method, std::size_t size) {
        return std::string(method) + " /" + std::string(size - 1, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    };
    for (std::string_view const method : {"GET", "HEAD"}) {
        CHECK(every_way(request(method, 50), limits).state == State::complete);
        CHECK(refused(request(method, 51), limits) == 414);
        CHECK(refused(request(method, 500), limits) == 414);
    }
    CHECK(refused("GET /" + std::string(100, 'x'), limits) == 414);  // before the line is whole
    CHECK(refused("GET /" + std::string(9000, 'x')) == 414);
}

TEST_CASE("The number of header lines is bounded, to the line") {
    http::ParserLimits const limits{8192, 4096, 10};
    std::string lines;
    for (int i = 0; i < 9; ++i) lines += "X: y\r\n";
    CHECK(every_way(with(lines), limits).state == State::complete);
    CHECK(refused(with(lines + "X: y\r\n"), limits) == 431);
}

TEST_CASE("More than eight kilobytes of headers are refused by default") {
    std::string text = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    text.append(10000, 'x');
    http::RequestParser parser;
    CHECK(parser.feed(bytes_of(text)).state == State::refused);
    CHECK(parser.refusal().status == Status::request_header_fields_too_large);
}

TEST_CASE("A refusal remembers that it answers a HEAD") {
    http::RequestParser parser;
    REQUIRE(parser.feed(bytes_of("HEAD / HTTP/1.1\r\nX : y\r\n")).state == State::refused);
    CHECK(parser.refusal().to_head);
    http::RequestParser other;
    REQUIRE(other.feed(bytes_of("GET / HTTP/1.1\r\nX : y\r\n")).state == State::refused);
    CHECK_FALSE(other.refusal().to_head);
}
