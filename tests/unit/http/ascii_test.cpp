#include <string>
#include <string_view>
#include <vector>

#include <hubbub/http/ascii.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub::http;

TEST_CASE("A token has exactly the characters of RFC 9110 5.6.2") {
    std::string const marks = "!#$%&'*+-.^_`|~";
    for (int i = 0; i < 256; ++i) {
        char const c = static_cast<char>(i);
        bool const expected = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              (i != 0 && marks.find(c) != std::string::npos);
        CAPTURE(i);
        CHECK(is_token_char(c) == expected);
        CHECK(is_token(std::string("a") + c) == expected);
    }
    CHECK_FALSE(is_token(""));
}

TEST_CASE("A field value refuses every control character but the tab, at every place") {
    for (int i = 0; i < 256; ++i) {
        char const c = static_cast<char>(i);
        bool const expected = (i >= 0x20 && i != 0x7F) || c == '\t';
        for (std::size_t place = 0; place < 20; ++place) {
            std::string text(20, 'x');
            text[place] = c;
            CAPTURE(i, place);
            REQUIRE(is_field_value(text) == expected);
        }
    }
    CHECK(is_field_value(""));
}

TEST_CASE("Case is ignored for ASCII letters and for nothing else") {
    CHECK(equals_ignoring_case("WebSocket", "websocKET"));
    CHECK_FALSE(equals_ignoring_case("websocket", "websockets"));
    CHECK_FALSE(equals_ignoring_case("[", "{"));
    CHECK_FALSE(equals_ignoring_case("@", "`"));
    CHECK_FALSE(equals_ignoring_case("\xC3\x84", "\xC3\xA4"));
}

TEST_CASE("Spaces and tabs are trimmed, other characters are not") {
    CHECK(trim(" \t a b\t ") == "a b");
    CHECK(trim(" \t ").empty());
    CHECK(trim("\ra\r") == "\ra\r");
}

TEST_CASE("A list is visited element by element, empty ones left out") {
    std::vector<std::string_view> seen;
    CHECK(visit_list(" a ,, b,\tc d ,", [&](std::string_view element) {
        seen.push_back(element);
        return true;
    }));
    CHECK(seen == std::vector<std::string_view>{"a", "b", "c d"});
    seen.clear();
    CHECK_FALSE(visit_list("a,b,c", [&](std::string_view element) {
        seen.push_back(element);
        return element != "b";
    }));
    CHECK(seen == std::vector<std::string_view>{"a", "b"});
}
