#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include <hubbub/ws/encoder.hpp>
#include <hubbub/ws/inbound_header.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;
using namespace std::string_literals;
using Parsed = ws::InboundHeader::Parsed;
using ws::Role;

namespace {

/// Parses every beginning of it. Once an answer is given it stays the same.
template <Role R = Role::server>
Parsed parse(std::string const& bytes, ws::InboundHeader& head, ws::MessageContext const& message = {},
             ws::DecoderLimits const& limits = {}) {
    Parsed answer = Parsed::need_more;
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        head = ws::InboundHeader{};
        Parsed const next = head.parse<R>(std::as_bytes(std::span(bytes.data(), size)), message, limits);
        if (answer != Parsed::need_more) REQUIRE(next == answer);
        answer = next;
    }
    return answer;
}
CloseCode refused(std::string const& bytes, ws::MessageContext const& message = {}, ws::DecoderLimits const& limits = {}) {
    ws::InboundHeader head;
    REQUIRE(parse(bytes, head, message, limits) == Parsed::refused);
    CHECK_FALSE(head.reason.empty());
    return head.error;
}
Parsed answer(std::string const& bytes, ws::MessageContext const& message = {}, ws::DecoderLimits const& limits = {}) {
    ws::InboundHeader head;
    return parse(bytes, head, message, limits);
}

ws::MessageContext const open_message{.size = 10, .fragments = 1, .open = true};

}  // namespace

TEST_CASE("The three forms of a length are read") {
    ws::DecoderLimits const limits{.message = 1 << 20};
    for (std::size_t const size : {0u, 1u, 125u, 126u, 65535u, 65536u, 1000000u}) {
        std::string const payload(size, 'x');
        std::string const frame = ws::encode_frame(ws::ClientFrame::make(ws::Opcode::binary, payload));
        ws::InboundHeader head;
        REQUIRE(parse(frame.substr(0, frame.size() - size), head, {}, limits) == Parsed::complete);
        CHECK(head.payload == size);
        CHECK(head.size == frame.size() - size);
        CHECK(head.opcode == ws::Opcode::binary);
        CHECK(head.fin);
        CHECK(head.key == ws::ClientFrame{}.key);
    }
}

TEST_CASE("A header is refused at the first byte that shows it is wrong") {
    CHECK(refused("\x83") == CloseCode::protocol_error);                // opcode 3
    CHECK(refused("\x8B") == CloseCode::protocol_error);                // opcode 11
    CHECK(refused("\x91") == CloseCode::protocol_error);                // RSV3
    CHECK(refused("\xA1") == CloseCode::protocol_error);                // RSV2
    CHECK(refused("\xC1") == CloseCode::protocol_error);                // RSV1
    CHECK(refused("\x08") == CloseCode::protocol_error);                // Close without FIN
    CHECK(refused("\x80") == CloseCode::protocol_error);                // nothing to continue
    CHECK(refused("\x81", open_message) == CloseCode::protocol_error);  // a message inside a message
    CHECK(refused("\x81\x05") == CloseCode::protocol_error);            // no mask
    CHECK(refused("\x89\xFE") == CloseCode::protocol_error);            // ping of more than 125
    CHECK(refused("\x81\xFE\x00\x7D"s) == CloseCode::protocol_error);   // 125 in 16 bits
    CHECK(refused("\x81\xFF\x80"s) == CloseCode::protocol_error);       // top bit
    CHECK(refused("\x81\xFF\x00\x00\x00\x00\x00\x00\xFF\xFF"s, {}, {.message = 1 << 20}) == CloseCode::protocol_error);
}

TEST_CASE("The limit counts the whole message, and the largest lengths do not wrap around") {
    ws::DecoderLimits const limits{.message = 100};
    CHECK(answer("\x82\xE4mask", {}, limits) == Parsed::complete);
    CHECK(refused("\x82\xE5", {}, limits) == CloseCode::message_too_big);
    CHECK(answer("\x80\xDAmask", open_message, limits) == Parsed::complete);
    CHECK(refused("\x80\xDB", open_message, limits) == CloseCode::message_too_big);
    CHECK(refused("\x80\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s, open_message, limits) == CloseCode::message_too_big);
    CHECK(refused("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s, {}, limits) == CloseCode::message_too_big);
    ws::DecoderLimits const none{.message = std::numeric_limits<std::size_t>::max()};
    CHECK(answer("\x80\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFFmask"s, open_message, none) == Parsed::complete);
    CHECK(answer("\x89\xFDmask", {.size = 100, .fragments = 1, .open = true}, limits) ==
          Parsed::complete);  // a ping is no part of it
}

TEST_CASE("The number of fragments is limited") {
    ws::DecoderLimits const limits{.fragments = 3};
    CHECK(answer("\x00\x80mask"s, {.size = 0, .fragments = 2, .open = true}, limits) == Parsed::complete);
    CHECK(refused("\x80"s, {.size = 0, .fragments = 3, .open = true}, limits) == CloseCode::policy_violation);
    CHECK(answer("\x89\x80mask", {.size = 0, .fragments = 3, .open = true}, limits) == Parsed::complete);
}

TEST_CASE("RSV1 is accepted where it was negotiated, on the first frame of a message") {
    ws::DecoderLimits const limits{.compressed = true};
    CHECK(answer("\xC1\x80mask", {}, limits) == Parsed::complete);
    CHECK(answer("\x42\x80mask", {}, limits) == Parsed::complete);
    CHECK(refused("\xC0", open_message, limits) == CloseCode::protocol_error);
    CHECK(refused("\xC9", {}, limits) == CloseCode::protocol_error);
    CHECK(refused("\xA1", {}, limits) == CloseCode::protocol_error);
}

TEST_CASE("A client refuses what is masked") {
    ws::InboundHeader head;
    CHECK(parse<Role::client>("\x81\x05", head) == Parsed::complete);
    CHECK(head.size == 2);
    CHECK(head.payload == 5);
    CHECK(parse<Role::client>("\x81\x85", head) == Parsed::refused);
    CHECK(head.error == CloseCode::protocol_error);
}
