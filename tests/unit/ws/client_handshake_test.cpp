#include <string>
#include <string_view>
#include <vector>

#include <hubbub/ws/client_handshake.hpp>
#include <hubbub/ws/handshake.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/http/parse.hpp"

using namespace hubbub;
using Answer = ws::UpgradeAnswer::Kind;

namespace {
std::string const client_key = "dGhlIHNhbXBsZSBub25jZQ==";
std::string const good_answer =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

std::string replaced(std::string_view from, std::string_view to) {
    std::string text = good_answer;
    text.replace(text.find(from), from.size(), to);
    return text;
}
}  // namespace

TEST_CASE("Client and server agree on a handshake") {
    std::vector<http::Header> const extra{{"X", "y"}};
    ws::UpgradeRequest const wish{
        .host = "a:80", .target = "/chat?x", .protocols = "v2, v1", .origin = "http://a:80", .extra = extra};
    auto const request = parse(ws::make_upgrade_request(wish));
    CHECK(request.target() == "/chat?x");
    CHECK(request.host() == "a:80");
    CHECK(request.header("Origin") == "http://a:80");
    CHECK(request.header("X") == "y");
    auto const outcome = ws::check_upgrade(request);
    REQUIRE(outcome.kind == ws::UpgradeOutcome::Kind::accepted);
    std::string const response = ws::upgrade_response(outcome.accept, outcome.protocols[1]);
    std::string const bytes = response + "\x81";
    auto const answer = ws::check_upgrade_response(bytes, wish.key());
    CHECK(answer.kind == Answer::accepted);
    CHECK(answer.status == 101);
    CHECK(answer.consumed == response.size());
    CHECK(answer.protocol == "v1");
}

TEST_CASE("An answer is judged when its head is whole") {
    for (std::size_t size = 0; size < good_answer.size(); ++size) {
        CHECK(ws::check_upgrade_response(std::string_view(good_answer).substr(0, size), client_key).kind == Answer::need_more);
    }
    CHECK(ws::check_upgrade_response(good_answer, client_key).kind == Answer::accepted);
}

TEST_CASE("An answer that is not right is refused") {
    std::string const answer =
        GENERATE(replaced("101", "200"), replaced("HTTP/1.1", "HTTP/1.0"), replaced("Upgrade: websocket\r\n", ""),
                 replaced("websocket", "websockets"), replaced("Connection: Upgrade\r\n", ""),
                 replaced("Connection: Upgrade", "Connection: close"), replaced("s3p", "s3q"),
                 replaced("\r\n\r\n", "\r\nSec-WebSocket-Extensions: x\r\n\r\n"), std::string("nonsense\r\n\r\n"),
                 std::string("\r\n\r\n"));
    CAPTURE(answer);
    CHECK(ws::check_upgrade_response(answer, client_key).kind == Answer::refused);
}

TEST_CASE("A refusal tells its status") {
    CHECK(ws::check_upgrade_response("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", client_key).status ==
          503);
}
