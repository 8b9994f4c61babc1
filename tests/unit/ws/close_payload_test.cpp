#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <hubbub/ws/close_payload.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;

namespace {

ws::ClosePayload parsed(std::string_view payload) {
    return ws::parse_close_payload(std::as_bytes(std::span(payload.data(), payload.size())));
}
std::string code_bytes(unsigned code) {
    return {static_cast<char>(static_cast<unsigned char>(code >> 8)),
            static_cast<char>(static_cast<unsigned char>(code & 0xFF))};
}
std::string encode(CloseCode code, std::string_view reason) {
    std::array<std::byte, ws::max_control_payload> out{};
    std::size_t const size = ws::encode_close_payload(out, code, reason);
    return {reinterpret_cast<char const*>(out.data()), size};
}

}  // namespace

TEST_CASE("An empty Close has no status") {
    CHECK(parsed("").valid);
    CHECK(parsed("").code == CloseCode::no_status);
}

TEST_CASE("A Close of one byte breaks the protocol") {
    CHECK_FALSE(parsed("\x03").valid);
    CHECK(parsed("\x03").code == CloseCode::protocol_error);
}

TEST_CASE("Every code is read or refused as RFC 6455 7.4 and the registry say") {
    for (unsigned code = 0; code <= 65535; ++code) {
        bool const expected =
            (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
        auto const close = parsed(code_bytes(code));
        if (close.valid != expected || close.code != (expected ? static_cast<CloseCode>(code) : CloseCode::protocol_error)) {
            CAPTURE(code, close.valid);
            FAIL("wrong answer");
        }
    }
}

TEST_CASE("A reason is UTF-8, or 1007") {
    std::string const payload = code_bytes(1001) + "sch\xC3\xB6n";
    auto const good = parsed(payload);
    CHECK(good.valid);
    CHECK(good.code == CloseCode::going_away);
    CHECK(good.reason == "sch\xC3\xB6n");
    for (std::string_view const reason : {"\xFF", "a\xC3", "\xED\xA0\x80"}) {
        auto const bad = parsed(code_bytes(1001) + std::string(reason));
        CHECK_FALSE(bad.valid);
        CHECK(bad.code == CloseCode::invalid_payload);
    }
}

TEST_CASE("A Close is written with code and reason, and read back") {
    std::string const payload = encode(CloseCode::try_again_later, "too slow");
    CHECK(payload == code_bytes(1013) + "too slow");
    CHECK(parsed(payload).reason == "too slow");
    CHECK(encode(CloseCode::normal, "") == code_bytes(1000));
    CHECK(encode(CloseCode::no_status, "unsaid").empty());
}

TEST_CASE("A long reason is cut between two characters, so that a control frame holds it") {
    CHECK(encode(CloseCode::normal, std::string(123, 'x')).size() == 125);
    CHECK(encode(CloseCode::normal, std::string(124, 'x')).size() == 125);
    for (std::string const character : {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
        for (std::size_t before = 0; before < 5; ++before) {
            std::string reason(before, 'x');
            while (reason.size() < 200) reason += character;
            std::string const payload = encode(CloseCode::normal, reason);
            auto const close = parsed(payload);
            REQUIRE(close.valid);
            CHECK(reason.starts_with(close.reason));
            CHECK(close.reason.size() <= 123);
            CHECK(close.reason.size() + character.size() > 123);
        }
    }
}

TEST_CASE("A reason that is no UTF-8 is left out") { CHECK(encode(CloseCode::normal, "\xFF") == code_bytes(1000)); }

TEST_CASE("Cutting text keeps what fits, down to nothing") {
    CHECK(ws::cut_utf8("\xE2\x82\xAC", 2).empty());
    CHECK(ws::cut_utf8("\xE2\x82\xAC", 3) == "\xE2\x82\xAC");
    CHECK(ws::cut_utf8("abc", 0).empty());
    CHECK(ws::cut_utf8("", 0).empty());
}
