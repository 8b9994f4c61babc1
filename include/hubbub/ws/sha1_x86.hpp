#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define HUBBUB_SHA1_X86

#include <cpuid.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace hubbub::inline v0::ws::detail {

/// This processor has the SHA extensions. Cost: asked once.
inline bool has_sha1_x86() noexcept {
    static bool const has = [] {
        unsigned a = 0, b = 0, c = 0, d = 0;
        return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
    }();
    return has;
}

/// One block with them: four rounds an instruction. Compiled for processors that may not have them, so the builtins stand here
/// and not in a lambda, which would not be of this target; without <immintrin.h>, which takes longer to read than all of this.
///
/// Source: Gulley et al., Intel SHA Extensions, 2013.
[[gnu::target("sha")]] inline void sha1_block_x86(std::array<std::uint32_t, 5>& state, std::byte const* bytes) noexcept {
    using Four [[gnu::vector_size(16)]] = int;  // the first word is in the last place
    using Sums [[gnu::vector_size(16)]] = std::uint32_t;
    // Without a sign what is too large begins again.
    auto const add = [](Four a, Four b) { return std::bit_cast<Four>(std::bit_cast<Sums>(a) + std::bit_cast<Sums>(b)); };
    auto const as_int = [](std::uint32_t word) { return static_cast<int>(word); };
    std::array<Four, 4> words;
    for (std::size_t i = 0; i < 4; ++i) {
        std::array<std::uint32_t, 4> raw;
        std::memcpy(raw.data(), bytes + 16 * i, sizeof raw);
        for (std::size_t j = 0; j < 4; ++j) words[i][3 - j] = as_int(__builtin_bswap32(raw[j]));
    }
    Four const abcd_before{as_int(state[3]), as_int(state[2]), as_int(state[1]), as_int(state[0])};
    Four const e_before{0, 0, 0, as_int(state[4])};
    Four abcd = abcd_before, previous{};
#pragma GCC unroll 20
    for (std::size_t i = 0; i < 20; ++i) {
        Four& word = words[i & 3];
        if (i >= 4) {
            Four const mixed = __builtin_ia32_sha1msg1(word, words[(i + 1) & 3]) ^ words[(i + 2) & 3];
            word = __builtin_ia32_sha1msg2(mixed, words[(i + 3) & 3]);
        }
        Four const e = i == 0 ? add(e_before, word) : __builtin_ia32_sha1nexte(previous, word);
        previous = abcd;
        switch (i / 5) {  // the function and constant of the round; an immediate operand
            case 0: abcd = __builtin_ia32_sha1rnds4(abcd, e, 0); break;
            case 1: abcd = __builtin_ia32_sha1rnds4(abcd, e, 1); break;
            case 2: abcd = __builtin_ia32_sha1rnds4(abcd, e, 2); break;
            default: abcd = __builtin_ia32_sha1rnds4(abcd, e, 3); break;
        }
    }
    Four const e = __builtin_ia32_sha1nexte(previous, e_before);
    abcd = add(abcd, abcd_before);
    for (std::size_t i = 0; i < 4; ++i) state[i] = static_cast<std::uint32_t>(abcd[3 - i]);
    state[4] = static_cast<std::uint32_t>(e[3]);
}

}  // namespace hubbub::inline v0::ws::detail

#endif
