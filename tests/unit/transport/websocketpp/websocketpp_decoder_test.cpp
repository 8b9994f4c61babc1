#include <cstring>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/transport/websocketpp/websocketpp_decoder.hpp>
#include <hubbub/ws/decoder.hpp>
#include <hubbub/ws/encoder.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/ws/recording_sink.hpp"

using namespace hubbub;
using namespace std::string_literals;
using ws::ClientFrame;
using ws::Opcode;

namespace {

std::string frame(Opcode opcode, std::string_view payload, bool fin = true) {
    ClientFrame wanted = ClientFrame::make(opcode, payload);
    wanted.fin = fin;
    return ws::encode_frame(wanted);
}
template <class Decoder>
void feed(Decoder& decoder, std::string_view piece, RecordingSink& sink, ws::DecoderLimits const& limits) {
    std::vector<std::byte> bytes(piece.size());
    std::memcpy(bytes.data(), piece.data(), piece.size());
    decoder.feed(bytes, limits, sink);
}

/// Traffic that is mostly right.
std::string random_traffic(std::minstd_rand& random) {
    auto const below = [&random](std::size_t end) { return static_cast<std::size_t>(random()) % end; };
    static std::string const texts[] = {"", "a", "\xC3\xA9", "\xF0\x9F\x98\x80", "\xE2\x82", "\xFF", std::string(1500, 'x')};
    std::string bytes;
    for (std::size_t i = 0; i < 12; ++i) {
        bool const is_wrong = below(30) == 0;
        std::string payload = texts[below(is_wrong ? 7 : 4)] + std::string(below(4), 'y');
        switch (below(7)) {
            case 0: bytes += frame(Opcode::ping, payload.substr(0, 125)); break;
            case 1: bytes += frame(Opcode::pong, payload.substr(0, 125)); break;
            case 2: bytes += frame(Opcode::binary, std::string(below(3) ? below(200) : 126 + below(3000), 'b')); break;
            case 3: {
                std::string const whole = payload + payload + payload;
                std::size_t const cut = below(whole.size() + 1);
                bytes += frame(Opcode::text, whole.substr(0, cut), false);
                if (below(3) == 0) bytes += frame(Opcode::ping, "between");
                bytes += frame(Opcode::continuation, whole.substr(cut));
                break;
            }
            case 4:
                if (below(12) == 0) bytes += frame(Opcode::close, "\x03\xE8"s + payload.substr(0, 100));
                if (below(12) == 0) bytes += frame(Opcode::close, "\x03\xED"s);
                break;
            default: bytes += frame(Opcode::text, payload);
        }
        if (below(60) == 0 && !bytes.empty()) bytes.back() = static_cast<char>(below(256));
        if (below(60) == 0) bytes += static_cast<char>(below(256));
    }
    return bytes;
}

}  // namespace

TEST_CASE("websocketpp's decoder tells the same as ours, whatever comes and however it is cut") {
    ws::DecoderLimits const limits{.message = 4000, .fragments = 4};
    for (unsigned seed = 1; seed <= 400; ++seed) {
        std::minstd_rand random(seed);
        auto const below = [&random](std::size_t end) { return static_cast<std::size_t>(random()) % end; };
        std::string const bytes = random_traffic(random);
        RecordingSink expected, got;
        ws::Decoder ours;
        WebsocketppDecoder theirs;
        expected.stop_after = got.stop_after = below(2) ? ~std::size_t{0} : below(6);
        for (std::size_t at = 0; at < bytes.size();) {
            std::size_t const piece = 1 + below(below(2) ? 10 : 2500);
            auto const next = std::string_view(bytes).substr(at, piece);
            feed(ours, next, expected, limits);
            feed(theirs, next, got, limits);
            at += next.size();
            if (below(3) == 0) {
                expected.stop_after = got.stop_after = expected.stop_after + below(3);
                ours.resume(limits, expected);
                theirs.resume(limits, got);
            }
            CAPTURE(seed, at);
            REQUIRE(got.events == expected.events);
            REQUIRE(theirs.ended() == ours.ended());
            REQUIRE(theirs.stopped() == ours.stopped());
            REQUIRE(theirs.incomplete() == ours.incomplete());
        }
    }
}

TEST_CASE("websocketpp's decoder never inflates, because there is no extension") {
    RecordingSink sink;
    WebsocketppDecoder decoder;
    std::string bomb = frame(Opcode::binary, std::string(10 * 1024, '\0'));
    bomb[0] = static_cast<char>(bomb[0] | 0x40);  // RSV1
    feed(decoder, bomb, sink, {});
    CHECK(sink.events == std::vector<std::string>{"error 1002"});
    CHECK(decoder.buffered() == 0);
}

TEST_CASE("A stream of fragments without an end meets the hub's limits before websocketpp keeps it") {
    for (std::string_view const payload : {"", "x"}) {
        RecordingSink sink;
        WebsocketppDecoder decoder;
        feed(decoder, frame(Opcode::text, payload, false), sink, {});
        for (int i = 0; i < 200 && !decoder.ended(); ++i) feed(decoder, frame(Opcode::continuation, payload, false), sink, {});
        CHECK(sink.events.size() == 129);  // 128 fragments
        CHECK(sink.events.back() == "error 1008");
    }
    RecordingSink sink;
    WebsocketppDecoder decoder;
    std::string const piece(1000, 'x');
    feed(decoder, frame(Opcode::text, piece, false), sink, {});
    for (int i = 0; i < 100 && !decoder.ended(); ++i) feed(decoder, frame(Opcode::continuation, piece, false), sink, {});
    CHECK(sink.events.size() == 66);  // 65 of them are 65,000 bytes
    CHECK(sink.events.back() == "error 1009");
}
