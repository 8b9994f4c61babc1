#include <string>
#include <string_view>

#include <hubbub/ws/encoder.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub::ws;
using namespace std::string_literals;
using namespace std::string_view_literals;

TEST_CASE("The examples of RFC 6455 5.7") {
    CHECK(encode_frame(ClientFrame::text("Hello")) == "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"sv);
    ClientFrame plain = ClientFrame::text("Hello");
    plain.masked = false;
    CHECK(encode_frame(plain) == "\x81\x05Hello"sv);
    ClientFrame first = ClientFrame::text("Hel");
    first.masked = first.fin = false;
    CHECK(encode_frame(first) == "\x01\x03Hel"sv);
    ClientFrame last = ClientFrame::make(Opcode::continuation, "lo");
    last.masked = false;
    CHECK(encode_frame(last) == "\x80\x02lo"sv);
    CHECK(encode_frame(ClientFrame::make(Opcode::pong, "Hello")) == "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"sv);
    std::string const medium(256, 'x'), large(65536, 'x');
    ClientFrame frame = ClientFrame::make(Opcode::binary, medium);
    frame.masked = false;
    CHECK(encode_frame(frame) == "\x82\x7e\x01\x00"s + medium);
    frame = ClientFrame::make(Opcode::binary, large);
    frame.masked = false;
    CHECK(encode_frame(frame) == "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s + large);
}

TEST_CASE("A frame may be wrong on purpose") {
    ClientFrame frame = ClientFrame::text("a");
    frame.masked = false;
    frame.rsv = 5;
    frame.opcode = 0xB;
    frame.length = ClientFrame::Length::bits16;
    CHECK(encode_frame(frame) == "\xdb\x7e\x00\x01\x61"sv);
    frame.length = ClientFrame::Length::bits64;
    CHECK(encode_frame(frame) == "\xdb\x7f\x00\x00\x00\x00\x00\x00\x00\x01\x61"sv);
}
