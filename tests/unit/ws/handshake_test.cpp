#include <string>
#include <string_view>
#include <vector>

#include <hubbub/ws/handshake.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/http/parse.hpp"

using namespace hubbub;
using Kind = ws::UpgradeOutcome::Kind;

namespace {

struct Lines {
    std::string method = "GET";
    std::string upgrade = "Upgrade: websocket\r\n";
    std::string connection = "Connection: Upgrade\r\n";
    std::string version = "Sec-WebSocket-Version: 13\r\n";
    std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    std::string more{};

    http::Request request() const {
        return parse(method + " /chat HTTP/1.1\r\nHost: a\r\n" + upgrade + connection + version + key + more + "\r\n");
    }
    Kind kind() const { return ws::check_upgrade(request()).kind; }
    /// Of the refusal; 0 if there is none.
    unsigned refused() const {
        auto const lines = request();
        auto const outcome = ws::check_upgrade(lines);
        CHECK(outcome.kind == Kind::refused);
        CHECK_FALSE(outcome.refusal.reason.empty());
        CHECK(outcome.refusal.to_head == (method == "HEAD"));
        return outcome.kind == Kind::refused ? static_cast<unsigned>(outcome.refusal.status) : 0;
    }
};

}  // namespace

TEST_CASE("The handshake of RFC 6455 1.3 is accepted with its accept key") {
    auto const request = Lines{.more = "Origin: http://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\n"}.request();
    auto const outcome = ws::check_upgrade(request);
    REQUIRE(outcome.kind == Kind::accepted);
    CHECK(outcome.accept.view() == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK(outcome.protocols == std::vector<std::string_view>{"chat", "superchat"});
    CHECK(outcome.extensions.empty());
}

TEST_CASE("Lists, repeated Connection lines and any case are accepted") {
    Lines lines;
    lines.upgrade = "UPGRADE: h2c, WebSocket\r\n";
    lines.connection = "connection: keep-alive\r\nConnection: foo , uPGRADE\r\n";
    CHECK(lines.kind() == Kind::accepted);
}

TEST_CASE("A request that asks for no WebSocket is plain") {
    Lines lines;
    lines.key.clear();
    for (std::string const upgrade :
         {"", "Upgrade: h2c\r\n", "Upgrade: websocketx\r\n", "Upgrade: web socket\r\n", "Upgrade: websocket/13\r\n"}) {
        lines.upgrade = upgrade;
        CAPTURE(upgrade);
        CHECK(lines.kind() == Kind::not_websocket);
    }
    lines.method = "HEAD";
    CHECK(lines.kind() == Kind::not_websocket);
}

TEST_CASE("Each part of a handshake is required") {
    Lines lines;
    SECTION("Upgrade") {
        for (std::string const upgrade :
             {"", "Upgrade: websocketx\r\n", "Upgrade:\r\n", "Upgrade: websocket\r\nUpgrade: websocket\r\n",
              "Upgrade: websocket\r\nUpgrade: h2c\r\n"}) {
            lines.upgrade = upgrade;
            CAPTURE(upgrade);
            CHECK(lines.refused() == 400);
        }
    }
    SECTION("Connection") {
        for (std::string const connection :
             {"", "Connection: close\r\n", "Connection: Upgraded\r\n", "Connection: up grade\r\n"}) {
            lines.connection = connection;
            CAPTURE(connection);
            CHECK(lines.refused() == 400);
        }
    }
    SECTION("version") {
        for (std::string const version :
             {"", "Sec-WebSocket-Version: 8\r\n", "Sec-WebSocket-Version: 14\r\n", "Sec-WebSocket-Version:\r\n",
              "Sec-WebSocket-Version: 013\r\n", "Sec-WebSocket-Version: 13, 8\r\n", "Sec-WebSocket-Version: 13x\r\n"}) {
            lines.version = version;
            CAPTURE(version);
            CHECK(lines.refused() == 426);
        }
    }
    SECTION("key") {
        for (std::string const key :
             {"", "Sec-WebSocket-Key:\r\n", "Sec-WebSocket-Key: abc\r\n", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n",
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==,dGhlIHNhbXBsZSBub25jZQ==\r\n"}) {
            lines.key = key;
            CAPTURE(key);
            CHECK(lines.refused() == 400);
        }
    }
    SECTION("GET") {
        lines.method = "HEAD";
        CHECK(lines.refused() == 400);
    }
}

TEST_CASE("Offered subprotocols are collected over lines, in their order") {
    auto const request =
        Lines{.more = "Sec-WebSocket-Protocol: b,a\r\nX: y\r\nsec-websocket-protocol: bearer.x-_.y, B\r\n"}.request();
    auto const outcome = ws::check_upgrade(request);
    REQUIRE(outcome.kind == Kind::accepted);
    CHECK(outcome.protocols == std::vector<std::string_view>{"b", "a", "bearer.x-_.y", "B"});
}

TEST_CASE("Malformed subprotocol offers are refused") {
    for (std::string const offer : {"", " , ", "a b", "a, a", "a,\"b\"", "a;b", "a/b", "a\r\nSec-WebSocket-Protocol: a",
                                    "a\r\nSec-WebSocket-Protocol:"}) {
        CAPTURE(offer);
        CHECK(Lines{.more = "Sec-WebSocket-Protocol: " + offer + "\r\n"}.refused() == 400);
    }
    std::string many = "p0";
    for (std::size_t i = 1; i < ws::max_offered_protocols; ++i) many += ",p" + std::to_string(i);
    CHECK(Lines{.more = "Sec-WebSocket-Protocol: " + many + "\r\n"}.kind() == Kind::accepted);
    CHECK(Lines{.more = "Sec-WebSocket-Protocol: " + many + ",q\r\n"}.refused() == 400);
}

TEST_CASE("Extension offers are kept as they came") {
    auto const request = Lines{.more =
                                   "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
                                   "Sec-WebSocket-Extensions: x; y=\"a,b\"\r\n"}
                             .request();
    auto const outcome = ws::check_upgrade(request);
    REQUIRE(outcome.kind == Kind::accepted);
    CHECK(outcome.extensions == std::vector<std::string_view>{"permessage-deflate; client_max_window_bits", "x; y=\"a,b\""});
}

TEST_CASE("The order of the server chooses the subprotocol") {
    std::vector<std::string_view> const offered{"a", "b", "c"};
    CHECK(ws::select_protocol(offered, std::vector<std::string_view>{"x", "c", "a"}) == "c");
    CHECK_FALSE(ws::select_protocol(offered, std::vector<std::string_view>{"A", "x"}));
    CHECK_FALSE(ws::select_protocol({}, std::vector<std::string_view>{"a"}));
    CHECK_FALSE(ws::select_protocol(offered, {}));
}

TEST_CASE("The 101 has the accept key, and a protocol only where one was chosen") {
    ws::AcceptKey const accept("dGhlIHNhbXBsZSBub25jZQ==");
    CHECK(ws::upgrade_response(accept) ==
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    std::vector<http::Header> const extra{{"X-Node", "seven"}};
    CHECK(ws::upgrade_response(accept, "chat", extra).ends_with("=\r\nSec-WebSocket-Protocol: chat\r\nX-Node: seven\r\n\r\n"));
}

TEST_CASE("A 101 with something in it that would break it is not made") {
    ws::AcceptKey const accept("dGhlIHNhbXBsZSBub25jZQ==");
    for (std::string_view const protocol : {"a\r\nX: y", "a b", "a\n", "a,b"})
        CHECK(ws::upgrade_response(accept, protocol).empty());
    for (http::Header const header : {http::Header{"X", "a\r\nY: b"}, http::Header{"X\r\n", "a"}, http::Header{"", "a"},
                                      http::Header{"X", std::string_view("a\0", 2)}}) {
        std::vector<http::Header> const extra{header};
        CHECK(ws::upgrade_response(accept, {}, extra).empty());
    }
}
