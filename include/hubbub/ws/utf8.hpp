#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace hubbub::inline v0::ws {

/// Checks UTF-8 (RFC 3629) that arrives in pieces, and fails at the first byte that no valid text can have there.
///
/// Surrogates, overlong forms and what lies beyond U+10FFFF are refused.
/// Cost: three bytes of state; ASCII takes eight bytes a step.
class Utf8Validator {
   public:
    /// False: this is no UTF-8, and nothing that follows can make it so. It stays false until `reset`.
    bool feed(std::span<std::byte const> bytes) noexcept;

    /// Everything that came is valid and ends between two characters.
    bool complete() const noexcept { return needed_ == 0; }

    void reset() noexcept { *this = Utf8Validator{}; }

   private:
    static constexpr std::uint8_t failed = 0xFF;

    bool lead(std::uint8_t byte) noexcept;

    std::uint8_t needed_ = 0;  ///< continuation bytes that must still come, or `failed`
    std::uint8_t low_ = 0x80;  ///< what the next one may be
    std::uint8_t high_ = 0xBF;
};

/// These bytes are valid UTF-8, whole.
inline bool is_valid_utf8(std::span<std::byte const> bytes) noexcept {
    Utf8Validator validator;
    return validator.feed(bytes) && validator.complete();
}
inline bool is_valid_utf8(std::string_view text) noexcept {
    return is_valid_utf8(std::as_bytes(std::span(text.data(), text.size())));
}

/// Takes a byte that begins a character; false if none can begin so.
inline bool Utf8Validator::lead(std::uint8_t byte) noexcept {
    low_ = 0x80;
    high_ = 0xBF;
    if (byte < 0x80) return true;
    if (byte < 0xC2) return false;  // a continuation byte, or an overlong form of ASCII
    if (byte < 0xE0) {
        needed_ = 1;
    } else if (byte < 0xF0) {
        needed_ = 2;
        if (byte == 0xE0) low_ = 0xA0;   // else overlong
        if (byte == 0xED) high_ = 0x9F;  // else a surrogate
    } else if (byte < 0xF5) {
        needed_ = 3;
        if (byte == 0xF0) low_ = 0x90;   // else overlong
        if (byte == 0xF4) high_ = 0x8F;  // else beyond U+10FFFF
    } else {
        return false;
    }
    return true;
}

inline bool Utf8Validator::feed(std::span<std::byte const> bytes) noexcept {
    constexpr std::uint64_t top_bits = 0x8080808080808080u;
    std::byte const* at = bytes.data();
    std::byte const* const end = at + bytes.size();
    if (needed_ == failed) return false;
    while (at != end) {
        if (needed_ == 0) {
            while (end - at >= 8) {
                std::uint64_t word;
                std::memcpy(&word, at, sizeof word);
                if (word & top_bits) break;
                at += 8;
            }
            if (at == end) break;
            if (!lead(std::to_integer<std::uint8_t>(*at++))) {
                needed_ = failed;
                return false;
            }
            continue;
        }
        auto const byte = std::to_integer<std::uint8_t>(*at++);
        if (byte < low_ || byte > high_) {
            needed_ = failed;
            return false;
        }
        low_ = 0x80;
        high_ = 0xBF;
        --needed_;
    }
    return true;
}

}  // namespace hubbub::inline v0::ws
