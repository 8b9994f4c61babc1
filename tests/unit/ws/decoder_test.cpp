#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/ws/decoder.hpp>
#include <hubbub/ws/encoder.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/ws/recording_sink.hpp"

using namespace hubbub;
using namespace std::string_literals;
using ws::ClientFrame;
using ws::Opcode;
using Events = std::vector<std::string>;

namespace {

static_assert(sizeof(ws::Decoder) == sizeof(void*));

std::string frame(Opcode opcode, std::string_view payload, bool fin = true) {
    ClientFrame wanted = ClientFrame::make(opcode, payload);
    wanted.fin = fin;
    return ws::encode_frame(wanted);
}
std::string text(std::string_view payload, bool fin = true) { return frame(Opcode::text, payload, fin); }
std::string more(std::string_view payload, bool fin = true) { return frame(Opcode::continuation, payload, fin); }
std::string ping(std::string_view payload) { return frame(Opcode::ping, payload); }
std::string close_frame(unsigned code, std::string_view reason = {}) {
    return frame(Opcode::close, std::string{static_cast<char>(code >> 8), static_cast<char>(code)} + std::string(reason));
}

/// Feeds a piece in a buffer of exactly its size, so that a sanitizer sees every step beyond it.
template <class Decoder, class Sink>
void feed(Decoder& decoder, std::string_view piece, Sink& sink, ws::DecoderLimits const& limits = {}) {
    std::vector<std::byte> bytes(piece.size());
    if (!piece.empty()) std::memcpy(bytes.data(), piece.data(), piece.size());
    decoder.feed(bytes, limits, sink);
}

/// Whole, byte by byte, and cut once at every place: the same is told each time. Says whether it is whole at its end.
Events every_way(std::string const& bytes, ws::DecoderLimits const& limits = {}, bool* incomplete = nullptr) {
    RecordingSink whole;
    {
        ws::Decoder decoder;
        feed(decoder, bytes, whole, limits);
        if (incomplete) *incomplete = decoder.incomplete();
        if (!decoder.incomplete()) CHECK(decoder.buffered() == 0);
    }
    RecordingSink single;
    ws::Decoder by_byte;
    for (char const each : bytes) feed(by_byte, {&each, 1}, single, limits);
    REQUIRE(single.events == whole.events);
    if (!by_byte.incomplete()) CHECK(by_byte.buffered() == 0);
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        RecordingSink parts;
        ws::Decoder decoder;
        feed(decoder, std::string_view(bytes).substr(0, cut), parts, limits);
        feed(decoder, std::string_view(bytes).substr(cut), parts, limits);
        if (parts.events != whole.events) {
            CAPTURE(cut);
            REQUIRE(parts.events == whole.events);
        }
    }
    return whole.events;
}

}  // namespace

TEST_CASE("The examples of RFC 6455 5.7 are decoded") {
    CHECK(every_way("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58") == Events{"text Hello"});
    CHECK(every_way(text("Hel", false) + more("lo")) == Events{"fragment 3", "text Hello"});
    CHECK(every_way(ping("Hello") + frame(Opcode::pong, "Hello")) == Events{"ping Hello", "pong Hello"});
}

TEST_CASE("Messages of every form of length come out as they were sent") {
    for (std::size_t const size : {0u, 1u, 2u, 125u, 126u, 127u, 300u}) {
        std::string const payload(size, 'x');
        CHECK(every_way(text(payload)) == Events{"text " + payload});
        CHECK(every_way(frame(Opcode::binary, payload)) == Events{"binary " + payload});
    }
    for (std::size_t const size : {65535u, 65536u, 70000u}) {
        std::string const payload(size, 'x');
        for (std::size_t const piece : {1u, 7u, 4096u, 1000000u}) {
            RecordingSink sink;
            ws::Decoder decoder;
            std::string const bytes = text(payload);
            for (std::size_t at = 0; at < bytes.size(); at += piece)
                feed(decoder, std::string_view(bytes).substr(at, piece), sink, {.message = 1 << 20});
            CHECK(sink.events == Events{"text " + payload});
            CHECK(decoder.buffered() == 0);
        }
    }
}

TEST_CASE("Many messages in one piece come in their order") {
    std::string bytes;
    Events expected;
    for (int i = 0; i < 20; ++i) {
        bytes += text(std::to_string(i));
        expected.push_back("text " + std::to_string(i));
    }
    CHECK(every_way(bytes) == expected);
}

TEST_CASE("Control frames between fragments are told at once") {
    CHECK(every_way(text("a", false) + ping("1") + more("b", false) + frame(Opcode::pong, "2") + ping("") + more("c")) ==
          Events{"fragment 1", "ping 1", "fragment 1", "pong 2", "ping ", "text abc"});
}

TEST_CASE("Empty fragments are fragments") {
    CHECK(every_way(text("", false) + more("", false) + more("")) == Events{"fragment 0", "fragment 0", "text "});
    CHECK(every_way(text("", false) + more("ab", false) + more("")) == Events{"fragment 0", "fragment 2", "text ab"});
}

TEST_CASE("A character may be cut by a fragment, a read or both") {
    std::string const euro = "\xE2\x82\xAC";
    CHECK(every_way(text(euro.substr(0, 1), false) + more(euro.substr(1, 1), false) + more(euro.substr(2))) ==
          Events{"fragment 1", "fragment 1", "text " + euro});
    CHECK(every_way(text(euro.substr(0, 2), false) + ping("") + more(euro.substr(2) + "x")) ==
          Events{"fragment 2", "ping ", "text " + euro + "x"});
}

TEST_CASE("Text that is no UTF-8 is 1007, and fails inside its frame") {
    CHECK(every_way(text("abc\xFF"
                         "def")) == Events{"error 1007"});
    CHECK(every_way(text("abc\xE2\x82")) == Events{"error 1007"});
    CHECK(every_way(text("\xE2", false) + more("a")) == Events{"fragment 1", "error 1007"});
    CHECK(every_way(text("\xE2", false) + more("\x82")) == Events{"fragment 1", "error 1007"});
    CHECK(every_way(text("ok") + text("\xC0\x80")) == Events{"text ok", "error 1007"});
    CHECK(every_way(frame(Opcode::binary, "\xFF\xC0")) == Events{"binary \xFF\xC0"});
    CHECK(every_way(frame(Opcode::binary, "\xFF", false) + more("\xC0")) == Events{"fragment 1", "binary \xFF\xC0"});

    RecordingSink sink;
    ws::Decoder decoder;
    std::string const bytes = text("a\xFF" + std::string(100, 'b'));
    feed(decoder, std::string_view(bytes).substr(0, 7), sink);
    CHECK(sink.events.empty());
    feed(decoder, std::string_view(bytes).substr(7, 1), sink);
    CHECK(sink.events == Events{"error 1007"});
}

TEST_CASE("What is wrong with the last message does not stick to the next") {
    CHECK(every_way(frame(Opcode::binary, "\xE2", false) + more("") + text("a", false) + more("b")) ==
          Events{"fragment 1", "binary \xE2", "fragment 1", "text ab"});
}

TEST_CASE("Frames that break the rules of RFC 6455 5 are 1002, and nothing after them is decoded") {
    auto const wrong = [](auto&& change) {
        ClientFrame bad = ClientFrame::text("x");
        change(bad);
        return text("ok") + ws::encode_frame(bad) + text("unheard");
    };
    Events const expected{"text ok", "error 1002"};
    for (unsigned const opcode : {3u, 4u, 5u, 6u, 7u, 11u, 12u, 13u, 14u, 15u}) {
        CHECK(every_way(wrong([&](ClientFrame& bad) { bad.opcode = opcode; })) == expected);
    }
    for (unsigned rsv = 1; rsv < 8; ++rsv) {
        CHECK(every_way(wrong([&](ClientFrame& bad) { bad.rsv = static_cast<std::uint8_t>(rsv); })) == expected);
    }
    CHECK(every_way(wrong([](ClientFrame& bad) { bad.masked = false; })) == expected);
    CHECK(every_way(wrong([](ClientFrame& bad) { bad.length = ClientFrame::Length::bits16; })) == expected);
    CHECK(every_way(wrong([](ClientFrame& bad) { bad.length = ClientFrame::Length::bits64; })) == expected);
    for (unsigned const opcode : {8u, 9u, 10u}) {
        CHECK(every_way(wrong([&](ClientFrame& bad) { bad.opcode = opcode, bad.fin = false; })) == expected);
        std::string const large(126, 'x');
        CHECK(every_way(wrong([&](ClientFrame& bad) { bad = ClientFrame::make(static_cast<Opcode>(opcode), large); })) ==
              expected);
    }
    CHECK(every_way(wrong([](ClientFrame& bad) { bad.opcode = 0; })) == expected);
    CHECK(every_way(text("a", false) + text("b")) == Events{"fragment 1", "error 1002"});
    CHECK(every_way(text("a", false) + frame(Opcode::binary, "b", false)) == Events{"fragment 1", "error 1002"});
    CHECK(every_way(text("a") + more("b")) == Events{"text a", "error 1002"});
}

TEST_CASE("A Close ends the decoding") {
    CHECK(every_way(close_frame(1000, "bye") + text("unheard")) == Events{"close 1000 bye"});
    CHECK(every_way(frame(Opcode::close, "")) == Events{"close 1005 "});
    CHECK(every_way(text("a", false) + close_frame(4321)) == Events{"fragment 1", "close 4321 "});
    CHECK(every_way(frame(Opcode::close, "x")) == Events{"error 1002"});
    CHECK(every_way(close_frame(1005)) == Events{"error 1002"});
    CHECK(every_way(close_frame(1000, "\xFF")) == Events{"error 1007"});

    RecordingSink sink;
    ws::Decoder decoder;
    feed(decoder, text("half", false) + close_frame(1000), sink);
    CHECK(decoder.ended());
    CHECK(decoder.buffered() == 0);
    CHECK_FALSE(decoder.incomplete());
    CHECK_FALSE(decoder.stopped());
    feed(decoder, text("unheard"), sink);
    decoder.resume({}, sink);
    CHECK(decoder.keep(std::as_bytes(std::span("x", 1))));
    CHECK(sink.events == Events{"fragment 4", "close 1000 "});
}

TEST_CASE("The limit holds for the whole message, before its bytes come") {
    ws::DecoderLimits const limits{.message = 10};
    CHECK(every_way(text("1234567890"), limits) == Events{"text 1234567890"});
    CHECK(every_way(text("12345678901"), limits) == Events{"error 1009"});
    CHECK(every_way(text("12345678901").substr(0, 2), limits) == Events{"error 1009"});
    CHECK(every_way(text("12345", false) + more("67890"), limits) == Events{"fragment 5", "text 1234567890"});
    CHECK(every_way(text("12345", false) + more("678901"), limits) == Events{"fragment 5", "error 1009"});
    CHECK(every_way(text("12345", false) + ping("123456") + more("67890"), limits) ==
          Events{"fragment 5", "ping 123456", "text 1234567890"});
    CHECK(every_way(text("12345") + text("1234567890"), limits) == Events{"text 12345", "text 1234567890"});
    CHECK(every_way(text("12345", false) + more("67890") + text("12345", false) + more("67890"), limits) ==
          Events{"fragment 5", "text 1234567890", "fragment 5", "text 1234567890"});
    CHECK(every_way("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s, limits) == Events{"error 1009"});
}

TEST_CASE("The number of fragments is limited, the empty ones too") {
    ws::DecoderLimits const limits{.fragments = 3};
    CHECK(every_way(text("", false) + more("", false) + more(""), limits) == Events{"fragment 0", "fragment 0", "text "});
    CHECK(every_way(text("", false) + more("", false) + more("", false) + more(""), limits) ==
          Events{"fragment 0", "fragment 0", "fragment 0", "error 1008"});
    std::string const three = text("", false) + more("", false) + more("");
    CHECK(every_way(three + three, limits) == Events{"fragment 0", "fragment 0", "text ", "fragment 0", "fragment 0", "text "});
    CHECK(every_way(text("", false) + ping("") + ping("") + more(""), limits) ==
          Events{"fragment 0", "ping ", "ping ", "text "});
}

TEST_CASE("A decoder knows whether something is incomplete, and holds memory only then") {
    std::string const message = text("Hello", false) + more("x");
    RecordingSink sink;
    ws::Decoder decoder;
    CHECK_FALSE(decoder.incomplete());
    CHECK(decoder.buffered() == 0);
    for (std::size_t i = 0; i < message.size(); ++i) {
        feed(decoder, std::string_view(message).substr(i, 1), sink);
        bool const last = i + 1 == message.size();
        CHECK(decoder.incomplete() == !last);
        CHECK((decoder.buffered() != 0) == !last);
    }
    feed(decoder, {}, sink);
    CHECK_FALSE(decoder.incomplete());
}

TEST_CASE("A length that is announced takes no memory before its bytes come") {
    RecordingSink sink;
    ws::Decoder decoder;
    ws::DecoderLimits const limits{.message = std::size_t{1} << 40};
    feed(decoder, "\x82\xFF\x00\x00\x00\xFF\xFF\xFF\xFF\xFFmask"s, sink, limits);
    CHECK(decoder.incomplete());
    CHECK(decoder.buffered() <= 256);
    std::size_t came = 0;
    for (int i = 0; i < 100; ++i) {
        feed(decoder, std::string(1000, 'x'), sink, limits);
        came += 1000;
        REQUIRE(decoder.buffered() <= 2 * came + 256);
    }
    CHECK(sink.events.empty());
}

TEST_CASE("A whole message is handed out where it lies, unmasked in place") {
    struct Sink : RecordingSink {
        void const* where = nullptr;
        bool on_message(MessageView message) {
            where = message.payload().data();
            return true;
        }
    } sink;
    ws::Decoder decoder;
    std::string bytes = text("Hello");
    decoder.feed(std::as_writable_bytes(std::span(bytes)), {}, sink);
    CHECK(sink.where == bytes.data() + 6);
    CHECK(bytes.substr(6) == "Hello");
}

TEST_CASE("A sink says stop, and the rest waits until it is resumed") {
    std::string const bytes =
        text("1") + ping("2") + text("3", false) + more("4") + frame(Opcode::pong, "5") + close_frame(1000);
    Events const all{"text 1", "ping 2", "fragment 1", "text 34", "pong 5", "close 1000 "};
    for (std::size_t stop = 1; stop < all.size(); ++stop) {
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            CAPTURE(stop, cut);
            RecordingSink sink;
            sink.stop_after = stop;
            ws::Decoder decoder;
            feed(decoder, std::string_view(bytes).substr(0, cut), sink);
            if (sink.events.size() == stop) {
                // A host that paused keeps what still comes.
                REQUIRE(decoder.keep(std::as_bytes(std::span(bytes.data() + cut, bytes.size() - cut))));
            } else {
                feed(decoder, std::string_view(bytes).substr(cut), sink);
            }
            REQUIRE(sink.events == Events(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(stop)));
            REQUIRE(decoder.stopped());
            REQUIRE(decoder.buffered() != 0);
            // From here it stops after each event.
            for (std::size_t heard = stop + 1; heard <= all.size(); ++heard) {
                REQUIRE(decoder.stopped());
                decoder.resume({}, sink);
                REQUIRE(sink.events == Events(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(heard)));
            }
            REQUIRE_FALSE(decoder.stopped());
            REQUIRE(decoder.buffered() == 0);
        }
    }
}

TEST_CASE("What comes while a decoder is stopped queues behind what was kept") {
    RecordingSink sink;
    sink.stop_after = 1;
    ws::Decoder decoder;
    feed(decoder, text("1") + text("2") + text("3").substr(0, 3), sink);
    feed(decoder, text("3").substr(3), sink);
    CHECK(sink.events == Events{"text 1"});
    decoder.resume({}, sink);
    CHECK(sink.events == Events{"text 1", "text 2"});
    feed(decoder, text("4"), sink);
    sink.stop_after = 100;
    decoder.resume({}, sink);
    CHECK(sink.events == Events{"text 1", "text 2", "text 3", "text 4"});
    CHECK(decoder.buffered() == 0);
}

TEST_CASE("A stop with nothing behind it keeps nothing") {
    RecordingSink sink;
    sink.stop_after = 1;
    ws::Decoder decoder;
    feed(decoder, text("1"), sink);
    CHECK_FALSE(decoder.stopped());
    CHECK(decoder.buffered() == 0);
    decoder.resume({}, sink);
    CHECK(sink.events == Events{"text 1"});
}

TEST_CASE("A decoder moves with what it holds") {
    RecordingSink sink;
    ws::Decoder first;
    feed(first, text("Hello").substr(0, 8), sink);
    ws::Decoder second = std::move(first);
    CHECK_FALSE(first.incomplete());
    CHECK(second.incomplete());
    ws::Decoder third;
    feed(third, text("lost").substr(0, 5), sink);
    third = std::move(second);
    feed(third, text("Hello").substr(8), sink);
    feed(first, text("again"), sink);
    CHECK(sink.events == Events{"text Hello", "text again"});
}

TEST_CASE("A sink that inflates is asked about each message, and what it yields is told") {
    struct Sink : RecordingSink {
        ws::Inflated inflate(MessageView message, bool compressed) {
            if (!compressed) return {message.payload(), CloseCode::normal, {}};
            if (message.view() == "bomb") return {{}, CloseCode::message_too_big, "the message is too big"};
            inflated = message.view() == "bad" ? "\xFF" : "<" + std::string(message.is_text() ? "text" : message.view()) + ">";
            return {std::as_bytes(std::span(inflated)), CloseCode::normal, {}};
        }
        std::string inflated;
    };
    auto const compressed = [](ws::Opcode opcode, std::string_view payload, bool fin = true) {
        ClientFrame wanted = ClientFrame::make(opcode, payload);
        wanted.rsv = 4;
        wanted.fin = fin;
        return ws::encode_frame(wanted);
    };
    using ws::Opcode;
    // What comes compressed is not looked at before it is inflated, whatever it is.
    std::string const begin =
        compressed(Opcode::text, "\xFF") + compressed(Opcode::binary, "\xFE", false) + more("\xFD") + text("plain");
    Events const told{"text <text>", "fragment 1", "binary <\xFE\xFD>", "text plain"};
    for (std::size_t const piece : {1u, 3u, 1000u})
        for (auto const& [last, end] : {std::pair{"bomb", "error 1009"}, std::pair{"bad", "error 1007"}}) {
            Sink sink;
            ws::Decoder decoder;
            std::string const bytes = begin + compressed(Opcode::text, last) + text("unheard");
            for (std::size_t at = 0; at < bytes.size(); at += piece)
                feed(decoder, std::string_view(bytes).substr(at, piece), sink, {.compressed = true});
            Events expected = told;
            expected.push_back(end);
            CHECK(sink.events == expected);
            CHECK(decoder.ended());
        }
}

TEST_CASE("RSV1 is for the first frame of a message, and where it was agreed on") {
    struct Sink : RecordingSink {
        ws::Inflated inflate(MessageView message, bool) { return {message.payload(), CloseCode::normal, {}}; }
    };
    auto const wrong = [](std::string bytes, bool agreed) {
        Sink sink;
        ws::Decoder decoder;
        feed(decoder, bytes, sink, {.compressed = agreed});
        return !sink.events.empty() && sink.events.back() == "error 1002";
    };
    auto const frame = [](ws::Opcode opcode, std::uint8_t rsv, bool fin = true) {
        ClientFrame wanted = ClientFrame::make(opcode, "x");
        wanted.rsv = rsv;
        wanted.fin = fin;
        return ws::encode_frame(wanted);
    };
    CHECK_FALSE(wrong(frame(ws::Opcode::text, 4), true));
    CHECK(wrong(frame(ws::Opcode::text, 4), false));
    CHECK(wrong(frame(ws::Opcode::text, 4, false) + frame(ws::Opcode::continuation, 4), true));
    CHECK(wrong(frame(ws::Opcode::text, 0, false) + frame(ws::Opcode::continuation, 4), true));
    for (auto const control : {ws::Opcode::ping, ws::Opcode::pong, ws::Opcode::close}) CHECK(wrong(frame(control, 4), true));
    for (int const rsv : {1, 2, 3, 5, 6, 7}) CHECK(wrong(frame(ws::Opcode::text, static_cast<std::uint8_t>(rsv)), true));
}

TEST_CASE("A client decodes frames of a server, and refuses masked ones") {
    std::string const bytes = "\x81\x05Hello\x01\x03Hel\x89\x01x\x80\x02lo\x88\x02\x03\xE8"s;
    for (std::size_t const piece : {1u, 2u, 5u, 1000u}) {
        RecordingSink sink;
        ws::BasicDecoder<ws::Role::client> decoder;
        for (std::size_t at = 0; at < bytes.size(); at += piece) feed(decoder, std::string_view(bytes).substr(at, piece), sink);
        CHECK(sink.events == Events{"text Hello", "fragment 3", "ping x", "text Hello", "close 1000 "});
    }
    RecordingSink sink;
    ws::BasicDecoder<ws::Role::client> decoder;
    feed(decoder, text("Hello"), sink);
    CHECK(sink.events == Events{"error 1002"});
}

TEST_CASE("Random traffic is decoded alike in random pieces") {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        std::minstd_rand random(seed);
        auto const below = [&random](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
        std::string bytes;
        Events expected;
        for (std::size_t i = 0; i < 10; ++i) {
            bool const is_text = below(2) == 0;
            std::size_t const fragments = 1 + below(4);
            std::string whole;
            for (std::size_t part = 0; part < fragments; ++part) {
                std::string payload(below(8) == 0 ? 120 + below(300) : below(20), 'x');
                for (char& each : payload) each = static_cast<char>(is_text ? 'a' + below(26) : below(256));
                bool const last = part + 1 == fragments;
                ClientFrame next = ClientFrame::make(part      ? Opcode::continuation
                                                     : is_text ? Opcode::text
                                                               : Opcode::binary,
                                                     payload);
                next.fin = last;
                for (std::byte& each : next.key) each = static_cast<std::byte>(below(256));
                ws::append_frame(bytes, next);
                whole += payload;
                expected.push_back(last ? (is_text ? "text " : "binary ") + whole
                                        : "fragment " + std::to_string(payload.size()));
                if (below(3) == 0) {
                    bytes += ping(payload.substr(0, 10));
                    expected.push_back("ping " + payload.substr(0, 10));
                }
            }
        }
        RecordingSink sink;
        ws::Decoder decoder;
        for (std::size_t at = 0; at < bytes.size();) {
            std::size_t const piece = 1 + below(below(2) ? 10 : 500);
            feed(decoder, std::string_view(bytes).substr(at, piece), sink);
            at += piece;
        }
        CAPTURE(seed);
        REQUIRE(sink.events == expected);
        REQUIRE(decoder.buffered() == 0);
    }
}
