#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include <hubbub/ws/sha1_x86.hpp>

namespace hubbub::inline v0::ws {

namespace detail {
/// One block, on any processor.
inline void sha1_block(std::array<std::uint32_t, 5>& state, std::byte const* bytes) noexcept {
    using Word = std::uint32_t;
    std::array<Word, 16> words;
    auto const at = [bytes](std::size_t i) { return std::to_integer<Word>(bytes[i]); };
    for (std::size_t i = 0; i < 16; ++i) {
        words[i] = at(4 * i) << 24 | at(4 * i + 1) << 16 | at(4 * i + 2) << 8 | at(4 * i + 3);
    }
    auto [a, b, c, d, e] = state;
    // The schedule is made as it is needed: made in advance, a compiler turns it into vector code that waits for itself.
    auto const step = [&](std::size_t i, Word mixed) {
        Word& word = words[i & 15];
        if (i >= 16) word = std::rotl(words[(i + 13) & 15] ^ words[(i + 8) & 15] ^ words[(i + 2) & 15] ^ word, 1);
        Word const next = std::rotl(a, 5) + mixed + e + word;
        e = d;
        d = c;
        c = std::rotl(b, 30);
        b = a;
        a = next;
    };
    // Unrolled, the indices are constants and no word changes its register.
#pragma GCC unroll 20
    for (std::size_t i = 0; i < 20; ++i) step(i, (d ^ (b & (c ^ d))) + 0x5A827999);
#pragma GCC unroll 20
    for (std::size_t i = 20; i < 40; ++i) step(i, (b ^ c ^ d) + 0x6ED9EBA1);
#pragma GCC unroll 20
    for (std::size_t i = 40; i < 60; ++i) step(i, ((b & c) | (d & (b | c))) + 0x8F1BBCDC);
#pragma GCC unroll 20
    for (std::size_t i = 60; i < 80; ++i) step(i, (b ^ c ^ d) + 0xCA62C1D6);
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}
}  // namespace detail

/// SHA-1 (RFC 3174), for the handshake's answer only: it proves that the server speaks WebSocket, and protects nothing.
/// Here, so that the core needs no cryptographic library.
///
/// Cost: two blocks for a handshake: 0.1 us where the processor has instructions for it, else 0.3.
class Sha1 {
   public:
    using Digest = std::array<std::byte, 20>;

    static Digest of(std::string_view text) noexcept {
        Sha1 sha;
        auto const bytes = std::as_bytes(std::span(text.data(), text.size()));
        std::size_t const whole = bytes.size() / 64 * 64;
        for (std::size_t at = 0; at < whole; at += 64) sha.block(bytes.data() + at);
        sha.finish(bytes.subspan(whole), bytes.size());
        Digest digest;
        for (std::size_t i = 0; i < digest.size(); ++i) {
            digest[i] = static_cast<std::byte>(sha.state_[i / 4] >> (24 - 8 * (i % 4)) & 0xFF);
        }
        return digest;
    }

   private:
    void block(std::byte const* bytes) noexcept {
#ifdef HUBBUB_SHA1_X86
        if (detail::has_sha1_x86()) return detail::sha1_block_x86(state_, bytes);
#endif
        detail::sha1_block(state_, bytes);
    }

    /// The last, incomplete block, with its padding and the length in bits.
    void finish(std::span<std::byte const> rest, std::uint64_t total) noexcept {
        std::array<std::byte, 128> last{};
        if (!rest.empty()) std::memcpy(last.data(), rest.data(), rest.size());
        last[rest.size()] = std::byte{0x80};
        std::size_t const size = rest.size() < 56 ? 64 : 128;
        std::uint64_t const bits = total * 8;
        for (std::size_t i = 0; i < 8; ++i) last[size - 1 - i] = static_cast<std::byte>(bits >> (8 * i) & 0xFF);
        for (std::size_t at = 0; at < size; at += 64) block(last.data() + at);
    }

    std::array<std::uint32_t, 5> state_{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
};

}  // namespace hubbub::inline v0::ws
