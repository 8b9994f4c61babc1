#pragma once

#include <array>
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
/// Cost: eight bytes a step, which compilers turn into vector code; no alignment is needed.
inline void apply_mask(std::span<std::byte> bytes, MaskKey const& key, std::size_t phase = 0) noexcept {
    std::array<std::byte, 8> turned;
    for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = key[(phase + i) & 3];
    std::uint64_t pattern;
    std::memcpy(&pattern, turned.data(), sizeof pattern);

    std::byte* const data = bytes.data();
    std::size_t const whole = bytes.size() & ~std::size_t{7};
    for (std::size_t at = 0; at < whole; at += 8) {
        std::uint64_t word;
        std::memcpy(&word, data + at, sizeof word);
        word ^= pattern;
        std::memcpy(data + at, &word, sizeof word);
    }
    for (std::size_t at = whole; at < bytes.size(); ++at) data[at] ^= turned[at & 3];
}

}  // namespace hubbub::inline v0::ws
