#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Names, rooms and messages as people type them, made fit to be shown to others. All of it is valid UTF-8: the hub has checked.
namespace chat::text {

/// Calls `function(code point, its bytes)` for each character.
template <class F>
void for_each_character(std::string_view text, F&& function) {
    for (std::size_t at = 0; at < text.size();) {
        auto const lead = static_cast<unsigned char>(text[at]);
        std::size_t const size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        std::string_view const bytes = text.substr(at, size);
        char32_t code = size == 1 ? lead : lead & (0xFFu >> (size + 1));
        for (std::size_t i = 1; i < bytes.size(); ++i) code = code << 6 | (static_cast<unsigned char>(bytes[i]) & 0x3Fu);
        function(code, bytes);
        at += size;
    }
}

/// How many characters it has.
inline std::size_t length(std::string_view text) {
    std::size_t result = 0;
    for_each_character(text, [&](char32_t, std::string_view) { ++result; });
    return result;
}

inline constexpr bool is_control(char32_t code) { return code < 0x20 || (code >= 0x7F && code <= 0x9F); }
inline constexpr bool is_space(char32_t code) {
    return code == ' ' || (code >= 0x09 && code <= 0x0D) || code == 0xA0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F ||
           code == 0x3000;
}
/// What is not seen, or turns the text around: two names that look alike could differ in it.
inline constexpr bool is_invisible(char32_t code) {
    return is_control(code) || code == 0xAD || code == 0x34F || code == 0x61C || code == 0x115F || code == 0x1160 ||
           code == 0x180E || (code >= 0x200B && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2060 && code <= 0x206F) || code == 0x3164 || code == 0xFEFF || code == 0xFFA0 ||
           (code >= 0xFFF9 && code <= 0xFFFB) || (code >= 0xE0000 && code <= 0xE007F);
}

/// One line: without what is invisible, one space where there were several, none at the ends.
inline std::string name(std::string_view typed) {
    std::string result;
    bool space = false;
    for_each_character(typed, [&](char32_t code, std::string_view bytes) {
        if (is_space(code)) {
            space = !result.empty();
        } else if (!is_invisible(code)) {
            if (space) result += ' ';
            space = false;
            result += bytes;
        }
    });
    return result;
}

/// So that `#Lobby` and `lobby` are one room.
inline std::string room(std::string_view typed) {
    std::string result = name(typed);
    result.erase(0, result.find_first_not_of("# "));
    for (char& each : result) {
        if (each >= 'A' && each <= 'Z') each = static_cast<char>(each - 'A' + 'a');
        if (each == ' ') each = '-';
    }
    return result;
}

/// Several lines: without control characters, and without empty room around it.
inline std::string message(std::string_view typed) {
    std::string result;
    std::size_t end = 0;  // of the last character that is no space
    for_each_character(typed, [&](char32_t code, std::string_view bytes) {
        bool const space = is_space(code);
        if (space && result.empty()) return;
        if (code == '\t') {
            result += ' ';
        } else if (code == '\n' || !is_control(code)) {
            result += bytes;
        }
        if (!space && !is_invisible(code)) end = result.size();
    });
    result.resize(end);
    return result;
}

/// The first characters of it.
inline std::string_view first(std::string_view text, std::size_t characters) {
    std::size_t end = 0, seen = 0;
    for_each_character(text, [&](char32_t, std::string_view bytes) {
        if (seen++ < characters) end += bytes.size();
    });
    return text.substr(0, end);
}

/// For comparing names: `ann` does not come in beside `Ann`.
inline std::string folded(std::string_view name) {
    std::string result(name);
    for (char& each : result)
        if (each >= 'A' && each <= 'Z') each = static_cast<char>(each - 'A' + 'a');
    return result;
}

}  // namespace chat::text
