#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

#include <hubbub/ws/utf8.hpp>

namespace hubbub::inline v0 {

namespace detail {

/// How many bytes the character at the beginning has; 0: what is there is no UTF-8.
inline std::size_t character_size(std::string_view text) noexcept {
    auto const first = static_cast<unsigned char>(text.front());
    std::size_t const size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    return size <= text.size() && ws::is_valid_utf8(text.substr(0, size)) ? size : 0;
}

/// True for what may not stand in JSON as it is, and for what a terminal would take for a command (C0, DEL and C1).
inline bool is_control_character(std::string_view character) noexcept {
    auto const first = static_cast<unsigned char>(character.front());
    return first < 0x20 || first == 0x7F || (first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0);
}

}  // namespace detail

/// Appends any bytes as a string of JSON, in at most `most` bytes without the quotation marks, at least 3. What is no UTF-8 becomes
/// U+FFFD, control characters are written as numbers, and what is too long ends with U+2026.
inline void append_quoted(std::string& to, std::string_view text, std::size_t most) {
    constexpr std::string_view unknown = "\xEF\xBF\xBD", and_so_on = "\xE2\x80\xA6";
    std::size_t const end = to.size() + 1 + most;
    std::size_t cut = to.size() + 1;  // up to here there is room for U+2026
    to += '"';
    while (!text.empty()) {
        std::size_t const size = detail::character_size(text);
        std::string_view const character = text.substr(0, std::max<std::size_t>(size, 1));
        std::array<char, 8> escaped{};
        std::string_view written = size ? character : unknown;
        if (size && (character == "\"" || character == "\\")) {
            escaped = {'\\', character.front()};
            written = {escaped.data(), 2};
        } else if (size && detail::is_control_character(character)) {
            // U+0080 to U+009F are two bytes, of which the second is the number of the character.
            (void)std::snprintf(escaped.data(), escaped.size(), "\\u%04x",
                                unsigned{static_cast<unsigned char>(character.back())});
            written = {escaped.data(), 6};
        }
        if (to.size() + written.size() > end) {
            to.resize(cut);
            to += and_so_on;
            break;
        }
        to += written;
        if (to.size() + and_so_on.size() <= end) cut = to.size();
        text.remove_prefix(character.size());
    }
    to += '"';
}

}  // namespace hubbub::inline v0
