#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/ws/encoder.hpp>

#include "tests/conformance/cases.hpp"

namespace conformance {
namespace {

using hubbub::ws::ClientFrame;
using hubbub::ws::Opcode;
using namespace std::string_literals;

struct Named {
    Opcode opcode;
    char const* name;
};
constexpr Named data_opcodes[] = {{Opcode::text, "text"}, {Opcode::binary, "binary"}};
constexpr Named control_opcodes[] = {{Opcode::close, "Close"}, {Opcode::ping, "ping"}, {Opcode::pong, "pong"}};

unsigned number(Opcode opcode) { return static_cast<unsigned>(opcode); }
std::string repeated(std::size_t size) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; i += 61) text[i] = static_cast<char>('a' + i % 26);
    return text;
}

// What a client sends.
std::string frame(Opcode opcode, std::string_view payload, bool fin = true) {
    ClientFrame wanted = ClientFrame::make(opcode, payload);
    wanted.fin = fin;
    wanted.key[0] = static_cast<std::byte>(payload.size() & 0xFF);  // not always the same
    return hubbub::ws::encode_frame(wanted);
}
template <class Change>
std::string changed(Opcode opcode, std::string_view payload, Change&& change) {
    ClientFrame wanted = ClientFrame::make(opcode, payload);
    change(wanted);
    return hubbub::ws::encode_frame(wanted);
}
std::string text(std::string_view payload, bool fin = true) { return frame(Opcode::text, payload, fin); }
std::string binary(std::string_view payload, bool fin = true) { return frame(Opcode::binary, payload, fin); }
std::string more(std::string_view payload, bool fin = true) { return frame(Opcode::continuation, payload, fin); }
std::string ping(std::string_view payload) { return frame(Opcode::ping, payload); }
std::string pong(std::string_view payload) { return frame(Opcode::pong, payload); }
std::string code_bytes(unsigned code) { return {static_cast<char>(code >> 8 & 0xFF), static_cast<char>(code & 0xFF)}; }
std::string close_frame(unsigned code, std::string_view reason = {}) {
    return frame(Opcode::close, code_bytes(code) + std::string(reason));
}
/// A message in frames of that many bytes each.
std::string fragmented(Opcode opcode, std::string_view payload, std::size_t piece) {
    std::string bytes;
    std::size_t at = 0;
    do {
        auto const part = payload.substr(at, piece);
        at += part.size();
        bytes += frame(at == part.size() ? opcode : Opcode::continuation, part, at == payload.size());
    } while (at != payload.size());
    return bytes;
}

// What the server sends.
ExpectedFrame sent(Opcode opcode, std::string_view payload) { return {number(opcode), std::string(payload)}; }
ExpectedFrame echoed(std::string_view payload) { return sent(Opcode::text, payload); }
ExpectedFrame answered(std::string_view payload) { return sent(Opcode::pong, payload); }

/// Hands out cases.
class Suite {
   public:
    explicit Suite(std::function<void(FrameCase const&)> const& visit) : visit_(visit) {}

    ServerOptions server;
    std::string section;

    void open(std::string name, std::string bytes, std::vector<ExpectedFrame> frames) {
        visit_({std::move(name), section, std::move(bytes), server, std::move(frames), {}, false});
    }
    void fails(std::string name, std::string bytes, std::vector<unsigned> codes, std::vector<ExpectedFrame> before = {}) {
        visit_({std::move(name), section, std::move(bytes), server, std::move(before), std::move(codes), false});
    }
    void closes(std::string name, std::string bytes, std::vector<unsigned> codes, std::vector<ExpectedFrame> before = {}) {
        visit_({std::move(name), section, std::move(bytes), server, std::move(before), std::move(codes), true});
    }

   private:
    std::function<void(FrameCase const&)> const& visit_;
};

void lengths(Suite& suite) {
    suite.section = "5.2";
    for (auto const [opcode, name] : data_opcodes) {
        for (std::size_t const size : {0u,   1u,   2u,   7u,   8u,    9u,    124u,   125u,   126u,   127u,
                                       128u, 129u, 255u, 256u, 1000u, 4096u, 16384u, 65534u, 65535u, 65536u}) {
            auto const payload = repeated(size);
            suite.open(name + (" of "s + std::to_string(size) + " bytes"), frame(opcode, payload), {sent(opcode, payload)});
        }
        suite.server.message = 16u << 20;
        for (std::size_t const size : {65537u, 100000u, 131072u, 1u << 20, 16u << 20}) {
            auto const payload = repeated(size);
            suite.open(name + (" of "s + std::to_string(size) + " bytes"), frame(opcode, payload), {sent(opcode, payload)});
        }
        suite.server = {};

        auto const as = [kind = opcode](std::size_t size, ClientFrame::Length length) {
            return changed(kind, repeated(size), [length](ClientFrame& each) { each.length = length; });
        };
        for (std::size_t const size : {0u, 1u, 125u}) {
            suite.fails(name + (" of "s + std::to_string(size) + " bytes, length in 16 bits"),
                        as(size, ClientFrame::Length::bits16), {1002});
        }
        for (std::size_t const size : {0u, 1u, 125u, 126u, 65535u}) {
            suite.fails(name + (" of "s + std::to_string(size) + " bytes, length in 64 bits"),
                        as(size, ClientFrame::Length::bits64), {1002});
        }
    }
    std::string const mask = "\x01\x02\x03\x04";
    suite.fails("length with the top bit", "\x82\xFF\x80\x00\x00\x00\x00\x00\x00\x01"s + mask + "x", {1002});
    suite.fails("length of all bits", "\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s + mask + "x", {1002});
    suite.fails("length with the top bit, in text", "\x81\xFF\x80\x00\x00\x00\x00\x00\x00\x00"s + mask, {1002});
    suite.fails("length of 2^63 - 1", "\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s + mask + "x", {1009});
    suite.fails("length of 2^32", "\x82\xFF\x00\x00\x00\x01\x00\x00\x00\x00"s + mask, {1009});
    suite.fails("length of 2^32 + 1", "\x82\xFF\x00\x00\x00\x01\x00\x00\x00\x01"s + mask + "x", {1009});
    std::string many;
    std::vector<ExpectedFrame> expected;
    for (std::size_t i = 0; i < 200; ++i) {
        auto const payload = std::to_string(i) + repeated(i);
        many += frame(i % 2 ? Opcode::binary : Opcode::text, payload);
        expected.push_back(sent(i % 2 ? Opcode::binary : Opcode::text, payload));
    }
    suite.open("200 messages in a row", many, expected);
    suite.open("every byte value in binary", binary("\0\x01\x7F\x80\xFE\xFF"s),
               {sent(Opcode::binary, "\0\x01\x7F\x80\xFE\xFF"s)});
}

void limits(Suite& suite) {
    suite.section = "7.4.1";
    suite.server.message = 1000;
    for (auto const [opcode, name] : data_opcodes) {
        auto const limit = repeated(1000), beyond = repeated(1001);
        suite.open(name + " as large as the limit"s, frame(opcode, limit), {sent(opcode, limit)});
        suite.fails(name + " larger than the limit"s, frame(opcode, beyond), {1009});
        suite.fails(name + " larger than the limit, header only"s, frame(opcode, beyond).substr(0, 8), {1009});
        suite.open(name + " in fragments as large as the limit"s, fragmented(opcode, limit, 100), {sent(opcode, limit)});
        suite.fails(name + " in fragments larger than the limit"s, fragmented(opcode, beyond, 100), {1009});
        suite.fails(name + " whose last fragment is larger than the limit"s, frame(opcode, "x", false) + more(limit), {1009});
    }
    auto const half = repeated(600);
    suite.open("the limit is of each message", text(half) + text(half), {echoed(half), echoed(half)});
    suite.open("pings do not count in the limit",
               text(half, false) + ping(repeated(125)) + ping(repeated(125)) + ping(repeated(125)) + ping(repeated(125)) +
                   more(half.substr(0, 400)),
               {answered(repeated(125)), answered(repeated(125)), answered(repeated(125)), answered(repeated(125)),
                echoed(half + half.substr(0, 400))});
    suite.server = {};
    suite.fails("the default limit and one byte", binary(repeated(65537)), {1009});
    suite.open("as many fragments as are allowed", fragmented(Opcode::text, repeated(128), 1), {echoed(repeated(128))});
    suite.fails("one fragment more than is allowed", fragmented(Opcode::text, repeated(129), 1), {1008, 1009});
    std::string empty = text("", false);
    for (int i = 0; i < 200; ++i) empty += more("", false);
    suite.fails("empty fragments without an end", empty, {1008, 1009});
}

void reserved(Suite& suite) {
    suite.section = "5.2";
    for (unsigned const opcode : {3u, 4u, 5u, 6u, 7u, 11u, 12u, 13u, 14u, 15u}) {
        auto const set = [opcode](ClientFrame& each) { each.opcode = opcode; };
        auto const name = "reserved opcode " + std::to_string(opcode);
        suite.fails(name + ", empty", changed(Opcode::text, "", set), {1002});
        suite.fails(name + ", with payload", text("ok") + changed(Opcode::text, "payload", set) + ping("unheard"), {1002},
                    {echoed("ok")});
        suite.fails(name + ", inside a message", text("a", false) + changed(Opcode::text, "b", set) + more("c"), {1002});
    }
    for (std::uint8_t rsv = 1; rsv < 8; ++rsv) {
        for (unsigned const opcode : {0u, 1u, 2u, 8u, 9u, 10u}) {
            std::string const begin = opcode == 0 ? text("a", false) : std::string();
            auto const bad = changed(static_cast<Opcode>(opcode), opcode == 8 ? std::string_view("\x03\xE8") : "b",
                                     [rsv](ClientFrame& each) { each.rsv = rsv; });
            suite.fails("reserved bits " + std::to_string(rsv) + " with opcode " + std::to_string(opcode), begin + bad, {1002});
        }
    }
    suite.section = "5.1";
    for (unsigned const opcode : {0u, 1u, 2u, 8u, 9u, 10u}) {
        std::string const begin = opcode == 0 ? text("a", false) : std::string();
        for (bool const empty : {true, false}) {
            auto const bad = changed(static_cast<Opcode>(opcode),
                                     empty         ? ""
                                     : opcode == 8 ? "\x03\xE8"
                                                   : "ab",
                                     [](ClientFrame& each) { each.masked = false; });
            suite.fails("unmasked frame with opcode " + std::to_string(opcode) + (empty ? ", empty" : ""), begin + bad, {1002});
        }
    }
    suite.section = "5.3";
    for (auto const& key : {"\0\0\0\0"s, "\xFF\xFF\xFF\xFF"s, "\x01\x00\x00\x80"s, "\r\n\r\n"s}) {
        suite.open("masking key " + std::to_string(static_cast<unsigned char>(key[0])),
                   changed(Opcode::text, "masked with it",
                           [&key](ClientFrame& each) {
                               for (std::size_t i = 0; i < 4; ++i) each.key[i] = static_cast<std::byte>(key[i]);
                           }),
                   {echoed("masked with it")});
    }
}

void fragments(Suite& suite) {
    suite.section = "5.4";
    for (auto const [opcode, name] : data_opcodes) {
        auto const payload = repeated(100);
        for (std::size_t const piece : {1u, 2u, 3u, 7u, 33u, 50u, 99u}) {
            suite.open(name + " in fragments of "s + std::to_string(piece), fragmented(opcode, payload, piece),
                       {sent(opcode, payload)});
        }
        suite.open(name + " of two empty fragments"s, frame(opcode, "", false) + more(""), {sent(opcode, "")});
        suite.open(name + " of three empty fragments"s, frame(opcode, "", false) + more("", false) + more(""),
                   {sent(opcode, "")});
        suite.open(name + " with an empty first fragment"s, frame(opcode, "", false) + more("abc"), {sent(opcode, "abc")});
        suite.open(name + " with an empty middle fragment"s, frame(opcode, "a", false) + more("", false) + more("b"),
                   {sent(opcode, "ab")});
        suite.open(name + " with an empty last fragment"s, frame(opcode, "abc", false) + more(""), {sent(opcode, "abc")});
        suite.open(name + " twice in fragments"s, fragmented(opcode, payload, 10) + fragmented(opcode, "second", 2),
                   {sent(opcode, payload), sent(opcode, "second")});
        for (auto const [other, other_name] : data_opcodes) {
            for (bool const fin : {true, false}) {
                suite.fails(other_name + (fin ? " whole"s : " begun"s) + " inside an unfinished " + name,
                            frame(opcode, "a", false) + frame(other, "b", fin) + more("c"), {1002});
            }
            suite.open(other_name + " after a fragmented "s + name, frame(opcode, "a", false) + more("b") + frame(other, "c"),
                       {sent(opcode, "ab"), sent(other, "c")});
        }
        for (bool const fin : {true, false}) {
            suite.fails("continuation "s + (fin ? "with" : "without") + " FIN after a whole " + name,
                        frame(opcode, "a") + more("b", fin), {1002}, {sent(opcode, "a")});
        }
        suite.fails("continuation after a finished fragmented "s + name, frame(opcode, "a", false) + more("b") + more("c"),
                    {1002}, {sent(opcode, "ab")});
    }
    for (bool const fin : {true, false}) {
        for (bool const empty : {true, false}) {
            suite.fails("continuation of nothing, "s + (fin ? "FIN" : "no FIN") + (empty ? ", empty" : ""),
                        more(empty ? "" : "a", fin), {1002});
        }
    }
    suite.fails("continuation of nothing, then text", more("a", false) + text("b"), {1002});
    suite.server = {1u << 20, 1u << 20};
    suite.open("65535 fragments of one byte", fragmented(Opcode::text, repeated(65535), 1), {echoed(repeated(65535))});
    suite.open("a megabyte in fragments of 4096", fragmented(Opcode::binary, repeated(1u << 20), 4096),
               {sent(Opcode::binary, repeated(1u << 20))});
    suite.open("a megabyte in fragments of 65536", fragmented(Opcode::text, repeated(1u << 20), 65536),
               {echoed(repeated(1u << 20))});
    suite.server = {16u << 20, 128};
    suite.open("16 megabytes in fragments of a megabyte", fragmented(Opcode::binary, repeated(16u << 20), 1u << 20),
               {sent(Opcode::binary, repeated(16u << 20))});
    suite.open("16 megabytes of text in fragments of a prime size", fragmented(Opcode::text, repeated(16u << 20), 131101),
               {echoed(repeated(16u << 20))});
    suite.server = {};

    suite.section = "5.5";
    suite.open("ping between two fragments", text("a", false) + ping("p") + more("b"), {answered("p"), echoed("ab")});
    suite.open("empty ping between two fragments", text("a", false) + ping("") + more("b"), {answered(""), echoed("ab")});
    suite.open("pong between two fragments", text("a", false) + pong("p") + more("b"), {echoed("ab")});
    suite.open("ping between empty fragments", text("", false) + ping("p") + more(""), {answered("p"), echoed("")});
    suite.open("the largest ping between two fragments", text("a", false) + ping(repeated(125)) + more("b"),
               {answered(repeated(125)), echoed("ab")});
    std::string mixed = binary("0", false);
    std::vector<ExpectedFrame> expected;
    std::string whole = "0";
    for (int i = 1; i < 20; ++i) {
        mixed += ping(std::to_string(i)) + pong("x") + more(std::to_string(i), i == 19);
        expected.push_back(answered(std::to_string(i)));
        whole += std::to_string(i);
    }
    expected.push_back(sent(Opcode::binary, whole));
    suite.open("ping and pong between all of 20 fragments", mixed, expected);
    suite.closes("Close between two fragments", text("a", false) + close_frame(1000) + more("b"), {1000});
    suite.fails("bad Close between two fragments", text("a", false) + close_frame(1005) + more("b"), {1002});
    suite.fails("fragmented ping between two fragments", text("a", false) + frame(Opcode::ping, "p", false) + more("b"),
                {1002});
}

void control(Suite& suite) {
    suite.section = "5.5.2";
    for (std::size_t const size : {0u, 1u, 2u, 3u, 4u, 5u, 8u, 16u, 31u, 64u, 100u, 124u, 125u}) {
        suite.open("ping of " + std::to_string(size) + " bytes", ping(repeated(size)), {answered(repeated(size))});
    }
    std::string all;
    std::vector<ExpectedFrame> expected;
    for (std::size_t size = 0; size <= 125; ++size) {
        all += ping(repeated(size));
        expected.push_back(answered(repeated(size)));
    }
    suite.open("pings of 0 to 125 bytes", all, expected);
    suite.open("ping with bytes that are no UTF-8", ping("\xFF\xFE\x00\x80"s), {answered("\xFF\xFE\x00\x80"s)});
    suite.open("ping before a message", ping("p") + text("a"), {answered("p"), echoed("a")});
    suite.open("ping after a message", text("a") + ping("p"), {echoed("a"), answered("p")});
    for (int const count : {10, 1000, 10000}) {
        std::string flood;
        expected.clear();
        for (int i = 0; i < count; ++i) {
            flood += ping(std::to_string(i));
            expected.push_back(answered(std::to_string(i)));
        }
        suite.open("flood of " + std::to_string(count) + " pings", flood, expected);
    }
    suite.closes("ping before a Close", ping("p") + close_frame(1000), {1000}, {answered("p")});

    suite.section = "5.5.3";
    suite.open("unsolicited pong", pong("x"), {});
    suite.open("unsolicited empty pong", pong(""), {});
    suite.open("unsolicited pong of 125 bytes", pong(repeated(125)), {});
    suite.open("unsolicited pong before a ping", pong("x") + ping("y"), {answered("y")});
    std::string pongs;
    for (int i = 0; i < 1000; ++i) pongs += pong(std::to_string(i));
    suite.open("1000 unsolicited pongs and a message", pongs + text("a"), {echoed("a")});

    suite.section = "5.5";
    for (auto const [opcode, name] : control_opcodes) {
        // A Close begins with its code, so that only its size is wrong.
        auto const large = [kind = opcode](std::size_t size) {
            return (kind == Opcode::close ? code_bytes(1000) : "pp"s) + repeated(size - 2);
        };
        for (std::size_t const size : {126u, 127u, 1000u, 65535u, 65536u}) {
            suite.fails(name + " of "s + std::to_string(size) + " bytes", frame(opcode, large(size)), {1002});
        }
        suite.fails(name + " of 126 bytes, header only"s, frame(opcode, large(126)).substr(0, 8), {1002});
        suite.fails(name + " without FIN"s, frame(opcode, large(10), false), {1002});
        suite.fails(name + " without FIN, empty"s, frame(opcode, "", false), {1002});
        suite.fails(name + " without FIN, then a continuation"s, frame(opcode, large(10), false) + more("x"), {1002});
        for (auto const length : {ClientFrame::Length::bits16, ClientFrame::Length::bits64}) {
            suite.fails(name + " with a length of "s + (length == ClientFrame::Length::bits16 ? "16" : "64") + " bits",
                        changed(opcode, large(10), [length](ClientFrame& each) { each.length = length; }), {1002});
        }
    }
}

void closing(Suite& suite) {
    suite.section = "5.5.1";
    suite.closes("empty Close", frame(Opcode::close, ""), {0, 1000});
    suite.closes("Close after a message", text("a") + close_frame(1000), {1000}, {echoed("a")});
    suite.closes(
        "Close after 100 messages",
        [] {
            std::string bytes;
            for (int i = 0; i < 100; ++i) bytes += text("a");
            return bytes + close_frame(1000);
        }(),
        {1000}, std::vector<ExpectedFrame>(100, echoed("a")));
    suite.fails("Close of one byte", frame(Opcode::close, "\x03"), {1002});
    suite.closes("text after a Close", close_frame(1000) + text("unheard"), {1000});
    suite.closes("ping after a Close", close_frame(1000) + ping("unheard"), {1000});
    suite.closes("a second Close", close_frame(1000) + close_frame(1001), {1000});
    suite.closes("a reserved opcode after a Close", close_frame(1000) + "\x83\x80mask", {1000});
    suite.closes("nonsense after a Close", close_frame(1000) + "GET / HTTP/1.1\r\n\r\n", {1000});
    suite.closes("a megabyte after a Close", close_frame(1000) + binary(repeated(1u << 20)), {1000});

    suite.section = "7.4.1";
    for (unsigned const code : {1000u, 1001u, 1002u, 1003u, 1007u, 1008u, 1009u, 1010u, 1011u, 1012u, 1013u, 1014u}) {
        suite.closes("Close with " + std::to_string(code), close_frame(code), {code});
    }
    for (unsigned const code : {1004u, 1005u, 1006u, 1015u}) {
        suite.fails("Close with " + std::to_string(code), close_frame(code), {1002});
        suite.fails("Close with " + std::to_string(code) + " and a reason", close_frame(code, "why"), {1002});
    }
    suite.section = "7.4.2";
    for (unsigned const code : {3000u, 3001u, 3500u, 3999u, 4000u, 4001u, 4500u, 4999u}) {
        suite.closes("Close with " + std::to_string(code), close_frame(code), {code});
    }
    for (unsigned const code : {0u, 1u, 2u, 127u, 255u, 256u, 998u, 999u, 1016u, 1100u, 1999u, 2000u, 2001u, 2999u, 5000u,
                                5001u, 9999u, 32768u, 65535u}) {
        suite.fails("Close with " + std::to_string(code), close_frame(code), {1002});
    }

    suite.section = "7.1.6";
    std::string long_utf8;
    while (long_utf8.size() + 3 <= 123) long_utf8 += "\xE2\x82\xAC";
    for (auto const& reason : {"x"s, "a reason"s, repeated(122), repeated(123), "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"s}) {
        suite.closes("Close with a reason of " + std::to_string(reason.size()) + " bytes", close_frame(1000, reason), {1000});
    }
    suite.closes("Close with a reason of 41 characters of three bytes", close_frame(1000, long_utf8), {1000});
    suite.fails("Close with a reason of 124 bytes", close_frame(1000, repeated(124)), {1002});
}

struct Utf8 {
    char const* what;
    std::string bytes;
};

std::vector<Utf8> valid_utf8() {
    return {{"U+0000", "\0"s},
            {"U+007F", "\x7F"},
            {"U+0080, the first of two bytes", "\xC2\x80"},
            {"U+07FF, the last of two bytes", "\xDF\xBF"},
            {"U+0800, the first of three bytes", "\xE0\xA0\x80"},
            {"U+D7FF, before the surrogates", "\xED\x9F\xBF"},
            {"U+E000, after the surrogates", "\xEE\x80\x80"},
            {"U+FDD0, a non-character", "\xEF\xB7\x90"},
            {"U+FEFF, the byte order mark", "\xEF\xBB\xBF"},
            {"U+FFFD", "\xEF\xBF\xBD"},
            {"U+FFFE, a non-character", "\xEF\xBF\xBE"},
            {"U+FFFF, the last of three bytes", "\xEF\xBF\xBF"},
            {"U+10000, the first of four bytes", "\xF0\x90\x80\x80"},
            {"U+1FFFF, a non-character", "\xF0\x9F\xBF\xBF"},
            {"U+FFFFF", "\xF3\xBF\xBF\xBF"},
            {"U+100000", "\xF4\x80\x80\x80"},
            {"U+10FFFF, the last of all", "\xF4\x8F\xBF\xBF"},
            {"Greek", "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5"},
            {"an emoji of several code points", "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB"}};
}

/// Wrong whatever follows, so it has to fail also inside a frame.
std::vector<Utf8> invalid_utf8() {
    return {{"a continuation byte, the first", "\x80"},
            {"a continuation byte, the last", "\xBF"},
            {"two continuation bytes", "\x80\xBF"},
            {"an unexpected continuation after a character", "\xC3\xA4\xA4"},
            {"0xC0", "\xC0\xAF"},
            {"0xC1", "\xC1\xBF"},
            {"overlong of two bytes for NUL", "\xC0\x80"},
            {"overlong of three bytes for a slash", "\xE0\x80\xAF"},
            {"overlong of three bytes, the last", "\xE0\x9F\xBF"},
            {"overlong of three bytes for NUL", "\xE0\x80\x80"},
            {"overlong of four bytes for a slash", "\xF0\x80\x80\xAF"},
            {"overlong of four bytes, the last", "\xF0\x8F\xBF\xBF"},
            {"overlong of five bytes", "\xF8\x80\x80\x80\xAF"},
            {"overlong of six bytes", "\xFC\x80\x80\x80\x80\xAF"},
            {"U+D800, the first surrogate", "\xED\xA0\x80"},
            {"U+DB7F", "\xED\xAD\xBF"},
            {"U+DC00", "\xED\xB0\x80"},
            {"U+DFFF, the last surrogate", "\xED\xBF\xBF"},
            {"a pair of surrogates", "\xED\xA0\x81\xED\xB0\x80"},
            {"U+110000, beyond the last", "\xF4\x90\x80\x80"},
            {"U+140000", "\xF5\x80\x80\x80"},
            {"U+1FFFFF", "\xF7\xBF\xBF\xBF"},
            {"five bytes", "\xF8\x88\x80\x80\x80"},
            {"six bytes", "\xFC\x84\x80\x80\x80\x80"},
            {"0xFE", "\xFE"},
            {"0xFF", "\xFF"},
            {"0xFE 0xFF", "\xFE\xFF"},
            {"two bytes, the second missing", "\xC3("},
            {"three bytes, the second missing", "\xE2(\xA1"},
            {"three bytes, the third missing", "\xE2\x82("},
            {"four bytes, the second missing", "\xF0(\x8C\xBC"},
            {"four bytes, the third missing", "\xF0\x90(\xBC"},
            {"four bytes, the fourth missing", "\xF0\x90\x8C("},
            {"a lead byte behind a lead byte", "\xC3\xC3\xA4"},
            {"Latin-1", "sch\xF6n"}};
}

void utf8(Suite& suite) {
    suite.section = "8.1";
    for (auto const& [what, bytes] : valid_utf8()) {
        std::string const padded = "plain text before " + bytes + " and behind it";
        suite.open("text with "s + what, text(bytes), {echoed(bytes)});
        suite.open("longer text with "s + what, text(padded), {echoed(padded)});
        suite.open("text in fragments of a byte with "s + what, fragmented(Opcode::text, bytes, 1), {echoed(bytes)});
        suite.closes("Close with a reason with "s + what, close_frame(1000, bytes), {1000});
    }
    for (auto const& [what, bytes] : invalid_utf8()) {
        std::string const padded = "plain text before " + bytes + " and behind it";
        suite.fails("text with "s + what, text(bytes), {1007});
        suite.fails("longer text with "s + what, text("ok") + text(padded) + text("unheard"), {1007}, {echoed("ok")});
        suite.fails("text in fragments of a byte with "s + what, fragmented(Opcode::text, bytes + ".", 1), {1007});
        suite.fails("a last fragment with "s + what, text("fine so far, ", false) + ping("p") + more(padded), {1007},
                    {answered("p")});
        // The frame is not whole, and what is there of it is enough.
        suite.fails("an unfinished frame with "s + what, text(bytes + repeated(1000)).substr(0, 8 + bytes.size() + 1), {1007});
        suite.fails("an unfinished message with "s + what, text(bytes + ".", false), {1007});
        suite.open("binary with "s + what, binary(bytes), {sent(Opcode::binary, bytes)});
        suite.fails("Close with a reason with "s + what, close_frame(1000, bytes), {1007, 1002});
    }
    for (auto const* whole : {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"}) {
        std::string const bytes = whole;
        for (std::size_t size = 1; size < bytes.size(); ++size) {
            auto const name = std::to_string(size) + " of " + std::to_string(bytes.size()) +
                              " bytes of a character, lead byte " + std::to_string(static_cast<unsigned char>(bytes[0]));
            auto const begin = bytes.substr(0, size);
            suite.fails("text that ends with " + name, text("text " + begin), {1007});
            suite.fails("fragments that end with " + name, text("text ", false) + more(begin), {1007});
            suite.fails("an empty last fragment behind " + name, text(begin, false) + more(""), {1007});
            suite.fails("Close whose reason ends with " + name, close_frame(1000, begin), {1007, 1002});
            suite.open("two fragments cut by " + name, text("x" + begin, false) + more(bytes.substr(size) + "y"),
                       {echoed("x" + bytes + "y")});
            suite.open("two fragments, a ping and " + name, text(begin, false) + ping("\xFF") + more(bytes.substr(size)),
                       {answered("\xFF"), echoed(bytes)});
        }
    }
    suite.server.message = 1u << 20;
    std::string large = repeated(1u << 20);
    for (std::size_t at = 0; at + 4 <= large.size(); at += 4099) large.replace(at, 4, "\xF0\x9F\x98\x80");
    suite.open("a megabyte with characters of four bytes", text(large), {echoed(large)});
    large.back() = '\xFF';
    suite.fails("a megabyte whose last byte is wrong", text(large), {1007});
    suite.fails("a megabyte in fragments whose last byte is wrong", fragmented(Opcode::text, large, 65521), {1007});
    suite.server = {};
}

}  // namespace

void visit_frame_cases(std::function<void(FrameCase const&)> const& visit) {
    Suite suite(visit);
    lengths(suite);
    limits(suite);
    reserved(suite);
    fragments(suite);
    control(suite);
    closing(suite);
    utf8(suite);
}

}  // namespace conformance
