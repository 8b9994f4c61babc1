#include <hubbub/events/quoted_text.hpp>

#include <cstddef>
#include <iterator>
#include <string>

#include <nlohmann/json.hpp>

#include <hubbub/core/small_random.hpp>

#include "tests/support/catch.hpp"

// Here, because the tests of events/ do without a JSON library.
TEST_CASE("What is quoted for events, the JSON library reads back, and unchanged where it is UTF-8") {
    using nlohmann::json;
    hubbub::detail::SmallRandom random(1);
    std::string const pieces[] = {
        "a",      "\"",         "\\",   "\n",   std::string(1, '\0'), "\x7F",         "\u0085",           "\u00e9",
        "\u65e5", "\U0001F600", "\xFF", "\xC3", "\xE2\x82",           "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"};
    for (int round = 0; round < 20'000; ++round) {
        std::string text, quoted;
        bool is_valid = true;
        for (std::size_t i = random() % 8; i-- > 0;) {
            std::size_t const which = random() % std::size(pieces);
            text += pieces[which];
            is_valid = is_valid && which < 10;
        }
        hubbub::append_quoted(quoted, text, 1000);
        json const read = json::parse(quoted, nullptr, false);
        if (!read.is_string() || (is_valid && read.get<std::string>() != text)) FAIL(quoted);
    }
}
