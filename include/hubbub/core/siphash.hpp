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
        std::uint64_t a = 0x736f6d6570736575u ^ key0, b = 0x646f72616e646f6du ^ key1;
        std::uint64_t c = 0x6c7967656e657261u ^ key0, d = 0x7465646279746573u ^ key1;
        auto const round = [&] {
            a += b, b = std::rotl(b, 13) ^ a, a = std::rotl(a, 32);
            c += d, d = std::rotl(d, 16) ^ c;
            a += d, d = std::rotl(d, 21) ^ a;
            c += b, b = std::rotl(b, 17) ^ c, c = std::rotl(c, 32);
        };
        auto const take = [&](std::uint64_t word) {
            d ^= word;
            round();
            a ^= word;
        };
        std::size_t const whole = text.size() & ~std::size_t{7};
        for (std::size_t i = 0; i < whole; i += 8) {
            std::uint64_t word;
            std::memcpy(&word, text.data() + i, 8);
            take(word);
        }
        std::uint64_t last = std::uint64_t{text.size()} << 56;
        for (std::size_t i = whole; i < text.size(); ++i)
            last |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * (i - whole));
        take(last);
        c ^= 0xff;
        round(), round(), round();
        return a ^ b ^ c ^ d;
    }
};

}  // namespace hubbub::inline v0
