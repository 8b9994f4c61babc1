#include <hubbub/events/quoted_text.hpp>

#include <string>
#include <string_view>

#include <hubbub/ws/utf8.hpp>

#include "tests/support/catch.hpp"

namespace quoted_text {

using namespace std::string_view_literals;

inline std::string quote(std::string_view text, std::size_t most = 1000) {
    std::string result = "before ";
    hubbub::append_quoted(result, text, most);
    return result.substr(7);
}

}  // namespace quoted_text

using quoted_text::quote;
using namespace std::string_view_literals;

TEST_CASE("Text is quoted as JSON, with what a terminal would obey as numbers") {
    CHECK(quote("") == R"("")");
    CHECK(quote("plain text, Zoë and 日本 and 😀") == R"("plain text, Zoë and 日本 and 😀")");
    CHECK(quote(R"(a "b" \ c/)") == R"("a \"b\" \\ c/")");
    CHECK(quote("\n\r\t\0x\x1b[31m"sv) == R"("\u000a\u000d\u0009\u0000x\u001b[31m")");
    CHECK(quote("\x7F\u0080\u009b\u00a0") == "\"\\u007f\\u0080\\u009b\u00a0\"");
}

TEST_CASE("What is no UTF-8 is replaced byte by byte, and what is around it is kept") {
    CHECK(quote("a\xff"
                "b") == "\"a\uFFFDb\"");
    CHECK(quote("\xc3") == "\"\uFFFD\"");
    CHECK(quote("\xe2\x82z") == "\"\uFFFD\uFFFDz\"");
    CHECK(quote("\xed\xa0\x80") == "\"\uFFFD\uFFFD\uFFFD\"");  // a surrogate
    CHECK(quote("\xc0\x8a") == "\"\uFFFD\uFFFD\"");            // an overlong line feed
    for (int byte = 0; byte < 256; ++byte)
        for (int next = 0; next < 256; ++next) {
            std::string const text{static_cast<char>(byte), static_cast<char>(next)};
            std::string const result = quote(text);
            if (!hubbub::ws::is_valid_utf8(result) || result.find('\n') != std::string::npos) FAIL(byte << ' ' << next);
        }
}

TEST_CASE("Text that is too long is cut between two characters, and says so") {
    CHECK(quote("abcdef", 6) == R"("abcdef")");
    CHECK(quote("abcdefg", 6) == R"("abc…")");
    CHECK(quote("日本語", 9) == R"("日本語")");
    CHECK(quote("日本語x", 9) == R"("日本…")");
    CHECK(quote("日本語x", 8) == R"("日…")");
    CHECK(quote("a\n\n", 10) == R"("a\u000a…")");
    for (std::size_t most = 3; most < 40; ++most) {
        std::string const result = quote("ab\"日\n\xff😀c\\de\x1b"sv, most);
        INFO(most);
        CHECK(result.size() <= most + 2);
        CHECK(hubbub::ws::is_valid_utf8(result));
    }
}
