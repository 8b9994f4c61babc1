#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hubbub::inline v0::ws {

inline constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

namespace detail {
/// The number that a character stands for, or 64.
inline constexpr auto base64_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(64);
    for (std::size_t i = 0; i < 64; ++i) values[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<std::uint8_t>(i);
    return values;
}();
}  // namespace detail

constexpr std::size_t base64_size(std::size_t bytes) noexcept { return (bytes + 2) / 3 * 4; }

/// Writes `base64_size(bytes.size())` characters to `out` (RFC 4648 4).
inline void encode_base64(std::span<std::byte const> bytes, char* out) noexcept {
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::size_t const left = bytes.size() - at;
        std::uint32_t group = std::to_integer<std::uint32_t>(bytes[at]) << 16;
        if (left > 1) group |= std::to_integer<std::uint32_t>(bytes[at + 1]) << 8;
        if (left > 2) group |= std::to_integer<std::uint32_t>(bytes[at + 2]);
        *out++ = base64_alphabet[group >> 18 & 63];
        *out++ = base64_alphabet[group >> 12 & 63];
        *out++ = left > 1 ? base64_alphabet[group >> 6 & 63] : '=';
        *out++ = left > 2 ? base64_alphabet[group & 63] : '=';
    }
}

inline std::string encode_base64(std::span<std::byte const> bytes) {
    std::string out(base64_size(bytes.size()), '\0');
    encode_base64(bytes, out.data());
    return out;
}

/// The text is the one canonical encoding of exactly that many bytes: padding whole, unused bits 0 (RFC 4648 3.5).
constexpr bool is_base64_of(std::string_view text, std::size_t bytes) noexcept {
    if (text.size() != base64_size(bytes)) return false;
    std::size_t const padding = (3 - bytes % 3) % 3;
    std::size_t last = 0;
    for (std::size_t i = 0; i < text.size() - padding; ++i) {
        last = detail::base64_values[static_cast<unsigned char>(text[i])];
        if (last == 64) return false;
    }
    for (std::size_t i = text.size() - padding; i < text.size(); ++i) {
        if (text[i] != '=') return false;
    }
    return (last & ((std::size_t{1} << (2 * padding)) - 1)) == 0;
}

}  // namespace hubbub::inline v0::ws
