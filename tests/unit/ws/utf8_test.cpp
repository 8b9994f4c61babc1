#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <hubbub/ws/utf8.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub::ws;

namespace {

std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

/// As RFC 3629 3 writes a number, also where it may not be written.
std::string encode(std::uint32_t code) {
    auto const byte = [](std::uint32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
    auto const tail = [&](unsigned shift) { return byte(0x80 | (code >> shift & 0x3F)); };
    if (code < 0x80) return {byte(code)};
    if (code < 0x800) return {byte(0xC0 | code >> 6), tail(0)};
    if (code < 0x10000) return {byte(0xE0 | code >> 12), tail(6), tail(0)};
    return {byte(0xF0 | code >> 18), tail(12), tail(6), tail(0)};
}

/// How many bytes it takes until it fails; the size where it does not.
std::size_t fails_at(std::string_view text) {
    Utf8Validator validator;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!validator.feed(bytes_of(text.substr(i, 1)))) return i;
    }
    return text.size();
}

}  // namespace

TEST_CASE("Every code point is accepted but the surrogates") {
    for (std::uint32_t code = 0; code <= 0x10FFFF; ++code) {
        bool const surrogate = code >= 0xD800 && code <= 0xDFFF;
        if (is_valid_utf8(encode(code)) == surrogate) {
            CAPTURE(code);
            REQUIRE(is_valid_utf8(encode(code)) != surrogate);
        }
    }
    for (std::uint32_t code = 0x110000; code <= 0x1FFFFF; ++code) REQUIRE_FALSE(is_valid_utf8(encode(code)));
}

TEST_CASE("Two bytes in every combination are valid exactly where RFC 3629 4 says so") {
    for (unsigned first = 0; first < 256; ++first) {
        for (unsigned second = 0; second < 256; ++second) {
            std::string const text{static_cast<char>(first), static_cast<char>(second)};
            bool const expected =
                (first < 0x80 && second < 0x80) || (first >= 0xC2 && first <= 0xDF && second >= 0x80 && second <= 0xBF);
            CAPTURE(first, second);
            REQUIRE(is_valid_utf8(text) == expected);
        }
    }
}

TEST_CASE("What is no UTF-8 fails at the first byte that is impossible") {
    struct Row {
        std::string_view text;
        std::size_t at;
    };
    auto const row = GENERATE(values<Row>({{"\x80", 0},
                                           {"\xBF", 0},
                                           {"a\x80", 1},
                                           {"\xC0\x80", 0},          // overlong
                                           {"\xC1\xBF", 0},          // overlong
                                           {"\xE0\x80\x80", 1},      // overlong
                                           {"\xE0\x9F\xBF", 1},      // overlong
                                           {"\xF0\x80\x80\x80", 1},  // overlong
                                           {"\xF0\x8F\xBF\xBF", 1},  // overlong
                                           {"\xED\xA0\x80", 1},      // first surrogate
                                           {"\xED\xBF\xBF", 1},      // last surrogate
                                           {"\xF4\x90\x80\x80", 1},  // U+110000
                                           {"\xF5\x80\x80\x80", 0},
                                           {"\xF8\x88\x80\x80\x80", 0},
                                           {"\xFC\x84\x80\x80\x80\x80", 0},
                                           {"\xFE", 0},
                                           {"\xFF", 0},
                                           {"\xC3\x28", 1},
                                           {"\xE2\x28\xA1", 1},
                                           {"\xE2\x82\x28", 2},
                                           {"\xF0\x28\x8C\xBC", 1},
                                           {"\xF0\x90\x28\xBC", 2},
                                           {"\xF0\x90\x8C\x28", 3},
                                           {"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80\x65", 12}}));
    CAPTURE(row.text);
    CHECK(fails_at(row.text) == row.at);
    CHECK_FALSE(is_valid_utf8(row.text));
    // Wherever it stands: the fast path looks at eight bytes.
    for (std::size_t before = 0; before < 20; ++before) {
        std::string const text = std::string(before, 'x') + std::string(row.text) + "yyyyyyyyyyyyyyyy";
        REQUIRE_FALSE(is_valid_utf8(text));
        REQUIRE(fails_at(text) == before + row.at);
    }
}

TEST_CASE("Text that is cut inside a character is not complete, and is when the rest comes") {
    for (std::string_view const text :
         {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"}) {
        for (std::size_t cut = 1; cut < text.size(); ++cut) {
            CHECK_FALSE(is_valid_utf8(text.substr(0, cut)));
            Utf8Validator validator;
            CHECK(validator.feed(bytes_of(text.substr(0, cut))));
            CHECK_FALSE(validator.complete());
            CHECK(validator.feed({}));
            CHECK_FALSE(validator.complete());
            CHECK(validator.feed(bytes_of(text.substr(cut))));
            CHECK(validator.complete());
        }
    }
}

TEST_CASE("A validator that failed stays so until it is reset") {
    Utf8Validator validator;
    REQUIRE_FALSE(validator.feed(bytes_of("\xFF")));
    CHECK_FALSE(validator.feed(bytes_of("a")));
    CHECK_FALSE(validator.feed({}));
    CHECK_FALSE(validator.complete());
    validator.reset();
    CHECK(validator.feed(bytes_of("a")));
    CHECK(validator.complete());
}

TEST_CASE("Long text is valid however it is cut") {
    std::string text;
    for (int i = 0; i < 20; ++i) text += "plain ascii, \xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80 ";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        Utf8Validator validator;
        REQUIRE(validator.feed(bytes_of(std::string_view(text).substr(0, cut))));
        REQUIRE(validator.feed(bytes_of(std::string_view(text).substr(cut))));
        REQUIRE(validator.complete());
    }
    CHECK(is_valid_utf8(""));
}
