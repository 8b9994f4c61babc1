#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace hubbub::inline v0::http {

constexpr char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) noexcept { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }
constexpr bool is_hex_digit(char c) noexcept { return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'f'); }

/// Compares as HTTP compares field names and most tokens: without regard to the case of ASCII letters.
constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] != b[i] && to_lower(a[i]) != to_lower(b[i])) return false;
    }
    return true;
}

namespace detail {
/// Outside of the function, which would else write it out at each call.
inline constexpr auto token_chars = [] {
    std::array<bool, 256> allowed{};
    for (int i = 0; i < 256; ++i) {
        char const each = static_cast<char>(i);
        bool const mark = i > 0x20 && i < 0x7F && std::string_view("!#$%&'*+-.^_`|~").find(each) != std::string_view::npos;
        allowed[static_cast<std::size_t>(i)] = is_alpha(each) || is_digit(each) || mark;
    }
    return allowed;
}();
}  // namespace detail

/// May stand in a token (RFC 9110 5.6.2).
constexpr bool is_token_char(char c) noexcept { return detail::token_chars[static_cast<unsigned char>(c)]; }

constexpr bool is_token(std::string_view text) noexcept {
    for (char const c : text) {
        if (!is_token_char(c)) return false;
    }
    return !text.empty();
}

/// May be the value of a header: no control character but the tab (RFC 9110 5.5), so no CR, LF or NUL.
inline bool is_field_value(std::string_view text) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101u;
    constexpr std::uint64_t tops = ones * 0x80;
    auto const allowed = [](char c) {
        auto const byte = static_cast<unsigned char>(c);
        return (byte >= 0x20 && byte != 0x7F) || c == '\t';
    };
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + at, sizeof word);
        // Some byte may be below 0x20, or may be 0x7F: then each of them is looked at.
        std::uint64_t const del = word ^ (ones * 0x7F);
        std::uint64_t const suspicious = ((word - ones * 0x20) & ~word) | ((del - ones) & ~del);
        if (suspicious & tops) {
            for (std::size_t i = at; i < at + 8; ++i) {
                if (!allowed(text[i])) return false;
            }
        }
    }
    for (; at < text.size(); ++at) {
        if (!allowed(text[at])) return false;
    }
    return true;
}

/// Without the spaces and tabs around it (RFC 9110 5.6.3).
constexpr std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Calls `visit(element)` for each element of a comma-separated list that is not empty (RFC 9110 5.6.1), until it answers
/// false. True: it never did. Quoted strings are not looked into.
template <class Visit>
constexpr bool visit_list(std::string_view list, Visit&& visit) {
    while (true) {
        std::size_t const comma = list.find(',');
        std::string_view const element = trim(list.substr(0, comma));
        if (!element.empty() && !visit(element)) return false;
        if (comma == std::string_view::npos) return true;
        list.remove_prefix(comma + 1);
    }
}

}  // namespace hubbub::inline v0::http
