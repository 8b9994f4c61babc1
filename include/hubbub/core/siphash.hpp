#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace hubbub::inline v0 {

/// SipHash-1-3 (Aumasson and Bernstein, 2012) under a secret key: names that clients choose cannot be made to collide.
struct SipHash {
    std::uint64_t key0 = 0, key1 = 0;

    std::uint64_t operator()(std::string_view text) const noexcept {
        State state{0x736f6d6570736575u ^ key0, 0x646f72616e646f6du ^ key1, 0x6c7967656e657261u ^ key0,
                    0x7465646279746573u ^ key1};
        char const* at = text.data();
        for (std::size_t words = text.size() / 8; words; --words, at += 8) state.take(load<std::uint64_t>(at));
        std::uint64_t last = std::uint64_t{text.size()} << 56;
        unsigned shift = 0;
        auto const rest = [&](auto part) {
            last |= std::uint64_t{part} << shift;
            shift += 8 * sizeof part;
            at += sizeof part;
        };
        if (text.size() & 4) rest(load<std::uint32_t>(at));
        if (text.size() & 2) rest(load<std::uint16_t>(at));
        if (text.size() & 1) rest(load<std::uint8_t>(at));
        state.take(last);
        state.c ^= 0xff;
        state.round(), state.round(), state.round();
        return state.a ^ state.b ^ state.c ^ state.d;
    }

   private:
    // Forced inline: the compiler's own choice keeps the state in memory, and takes twice as long.
    struct State {
        std::uint64_t a, b, c, d;

        [[gnu::always_inline]] void round() noexcept {
            a += b, b = std::rotl(b, 13) ^ a, a = std::rotl(a, 32);
            c += d, d = std::rotl(d, 16) ^ c;
            a += d, d = std::rotl(d, 21) ^ a;
            c += b, b = std::rotl(b, 17) ^ c, c = std::rotl(c, 32);
        }
        [[gnu::always_inline]] void take(std::uint64_t word) noexcept {
            d ^= word;
            round();
            a ^= word;
        }
    };
    template <class T>
    static T load(char const* from) noexcept {
        T value;
        std::memcpy(&value, from, sizeof value);
        return value;
    }
};

}  // namespace hubbub::inline v0
