#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace hubbub::inline v0::ws {

/// Checks UTF-8 (RFC 3629) that arrives in pieces, and fails in the piece with the first byte that no valid text can have there.
///
/// Surrogates, overlong forms and what lies beyond U+10FFFF are refused.
/// Cost: one byte of state; ASCII takes eight bytes a step, other text a load and a shift for each byte, without a branch.
class Utf8Validator {
   public:
    /// False: this is no UTF-8, and nothing that follows can make it so. It stays false until `reset`.
    bool feed(std::span<std::byte const> bytes) noexcept;

    /// Everything that came is valid and ends between two characters.
    bool complete() const noexcept { return state_ == between; }

    void reset() noexcept { *this = Utf8Validator{}; }

   private:
    // An automaton whose states are numbers of bits: the row of a byte has, at the place of each state, the state that follows. So
    // a step is one shift, and the load of its row waits for no step before it (P. Vognsen, Shift-based DFAs).
    static constexpr unsigned bits = 6;
    enum State : std::uint8_t {
        failed = 0,  // all rows have 0 there
        between = 1 * bits,
        one_more = 2 * bits,
        two_more = 3 * bits,
        three_more = 4 * bits,
        after_e0 = 5 * bits,  // what follows may not be overlong,
        after_ed = 6 * bits,  // a surrogate,
        after_f0 = 7 * bits,  // overlong,
        after_f4 = 8 * bits,  // beyond U+10FFFF
    };
    static constexpr State begin(unsigned byte) noexcept;
    static constexpr std::uint64_t row(unsigned byte) noexcept;
    static constexpr std::array<std::uint64_t, 256> make_rows() noexcept;
    static std::array<std::uint64_t, 256> const rows;

    std::uint8_t state_ = between;
};

/// These bytes are valid UTF-8, whole.
inline bool is_valid_utf8(std::span<std::byte const> bytes) noexcept {
    Utf8Validator validator;
    return validator.feed(bytes) && validator.complete();
}
inline bool is_valid_utf8(std::string_view text) noexcept {
    return is_valid_utf8(std::as_bytes(std::span(text.data(), text.size())));
}

/// RFC 3629 4: what may begin a character, and what it is followed by.
constexpr Utf8Validator::State Utf8Validator::begin(unsigned byte) noexcept {
    if (byte < 0x80) return between;
    if (byte < 0xC2) return failed;  // a continuation byte, or an overlong form of ASCII
    if (byte < 0xE0) return one_more;
    if (byte < 0xF0) return byte == 0xE0 ? after_e0 : byte == 0xED ? after_ed : two_more;
    if (byte < 0xF5) return byte == 0xF0 ? after_f0 : byte == 0xF4 ? after_f4 : three_more;
    return failed;
}

constexpr std::uint64_t Utf8Validator::row(unsigned byte) noexcept {
    std::uint64_t row = std::uint64_t{begin(byte)} << between;
    auto const follows = [&](State state, unsigned low, unsigned high, State next) {
        if (byte >= low && byte <= high) row |= std::uint64_t{next} << state;
    };
    follows(one_more, 0x80, 0xBF, between);
    follows(two_more, 0x80, 0xBF, one_more);
    follows(three_more, 0x80, 0xBF, two_more);
    follows(after_e0, 0xA0, 0xBF, one_more);
    follows(after_ed, 0x80, 0x9F, one_more);
    follows(after_f0, 0x90, 0xBF, two_more);
    follows(after_f4, 0x80, 0x8F, two_more);
    return row;
}

constexpr std::array<std::uint64_t, 256> Utf8Validator::make_rows() noexcept {
    std::array<std::uint64_t, 256> made{};
    for (unsigned byte = 0; byte < 256; ++byte) made[byte] = row(byte);
    return made;
}

inline constexpr std::array<std::uint64_t, 256> Utf8Validator::rows = make_rows();

inline bool Utf8Validator::feed(std::span<std::byte const> bytes) noexcept {
    std::byte const* at = bytes.data();
    std::byte const* const end = at + bytes.size();
    std::uint64_t state = state_;  // only its lowest bits count
    auto const left = [&] { return static_cast<std::size_t>(end - at); };
    auto const word = [&](std::size_t offset) {
        std::uint64_t eight;
        std::memcpy(&eight, at + offset, sizeof eight);
        return eight;
    };
    auto const is_ascii = [](std::uint64_t eight) { return (eight & 0x8080808080808080u) == 0; };
    auto const take = [&] { state = rows[std::to_integer<std::size_t>(*at++)] >> (state & 63); };
    while (left() >= 8) {
        if ((state & 63) == between) {
            while (left() >= 16 && is_ascii(word(0) | word(8))) at += 16;
            if (left() < 8) break;
            if (is_ascii(word(0))) {
                at += 8;
                continue;
            }
        }
        for (int i = 0; i < 8; ++i) take();
    }
    while (at != end) take();
    state_ = static_cast<std::uint8_t>(state & 63);
    return state_ != failed;
}

}  // namespace hubbub::inline v0::ws
