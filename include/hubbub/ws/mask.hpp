#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace hubbub::inline v0::ws {

/// The four bytes of a frame's masking key, in the order of the wire (RFC 6455 5.3).
using MaskKey = std::array<std::byte, 4>;

/// Masks or unmasks in place: the same operation (RFC 6455 5.3). `phase` is how many bytes of this frame's payload came
/// before these, where a frame arrives in pieces.
///
/// Cost: 32 bytes a step, in vectors where the machine has them, at -O2 too; what is left takes six short steps at most. No
/// alignment is needed.
[[gnu::always_inline]] inline void apply_mask(std::span<std::byte> bytes, MaskKey const& key, std::size_t phase = 0) noexcept {
    using Vector [[gnu::vector_size(16)]] = std::uint32_t;
    int const turned = 8 * static_cast<int>(phase & 3);
    auto word = std::bit_cast<std::uint32_t>(key);
    word = std::endian::native == std::endian::little ? std::rotr(word, turned) : std::rotl(word, turned);

    std::byte* at = bytes.data();
    auto const step = [&at](auto const& mask) {
        auto piece = mask;
        std::memcpy(&piece, at, sizeof piece);
        piece ^= mask;
        std::memcpy(at, &piece, sizeof piece);
        at += sizeof piece;
    };
    Vector const vector = Vector{} + word;
    for (std::size_t steps = bytes.size() / 32; steps; --steps) step(vector), step(vector);
    if (bytes.size() & 16) step(vector);
    if (bytes.size() & 8) step(std::uint64_t{word} << 32 | word);
    if (bytes.size() & 4) step(word);
    auto const last = std::bit_cast<MaskKey>(word);
    for (std::size_t left = 0; left < (bytes.size() & 3); ++left) at[left] ^= last[left];
}

}  // namespace hubbub::inline v0::ws
