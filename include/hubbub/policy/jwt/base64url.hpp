#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hubbub::inline v0 {

namespace detail {
inline constexpr std::string_view base64url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
inline constexpr auto base64url_values = [] {
    std::array<std::uint8_t, 256> values{};
    for (auto& each : values) each = 64;
    for (std::size_t i = 0; i < 64; ++i)
        values[static_cast<unsigned char>(base64url_alphabet[i])] = static_cast<std::uint8_t>(i);
    return values;
}();
}  // namespace detail

/// Bytes as RFC 7515 2 writes them: the alphabet of RFC 4648 5, without padding.
inline std::string encode_base64url(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t bits = 0;
    int held = 0;
    for (char const each : bytes) {
        bits = bits << 8 | static_cast<unsigned char>(each);
        for (held += 8; held >= 6; held -= 6) out += detail::base64url_alphabet[bits >> (held - 6) & 63];
    }
    if (held) out += detail::base64url_alphabet[bits << (6 - held) & 63];
    return out;
}

/// The bytes behind the one encoding that they have. Nothing: padding, a character outside of the alphabet, a length that no encoding
/// has, or bits left over that are not 0 (RFC 4648 3.5), so that no token has a second spelling.
inline std::optional<std::string> decode_base64url(std::string_view text) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string out;
    out.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    int held = 0;
    for (char const each : text) {
        std::uint8_t const value = detail::base64url_values[static_cast<unsigned char>(each)];
        if (value == 64) return std::nullopt;
        bits = bits << 6 | value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out += static_cast<char>(bits >> held & 0xFF);
        }
    }
    if (bits & ((1u << held) - 1)) return std::nullopt;
    return out;
}

}  // namespace hubbub::inline v0
