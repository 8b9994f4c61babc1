#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace hubbub::inline v0::ws {

/// `memcpy` for what is mostly short and was written a moment ago.
///
/// It reads in pieces of 16 bytes, as `apply_mask` writes nearly all: a load that is wider than a store before it waits until that has left
/// the processor's store buffer.
///
/// Cost: eight steps at most and no call, up to 128 bytes.
[[gnu::always_inline]] inline void copy_payload(std::byte* to, std::span<std::byte const> payload) noexcept {
    using Vector [[gnu::vector_size(16)]] = std::uint32_t;
    std::byte const* const from = payload.data();
    std::size_t const size = payload.size();
    auto const piece = [&](auto part, std::size_t at) {
        std::memcpy(&part, from + at, sizeof part);
        std::memcpy(to + at, &part, sizeof part);
    };
    if (size > 128) [[unlikely]]
        return void(std::memcpy(to, from, size));
    if (size >= 16) {
        // The last piece overlaps the one before it: even where it waits, this is not slower than more and shorter ones.
        for (std::size_t at = 0; at < size - 16; at += 16) piece(Vector{}, at);
        return piece(Vector{}, size - 16);
    }
    if (size >= 8) return piece(std::uint64_t{}, 0), piece(std::uint64_t{}, size - 8);
    if (size >= 4) return piece(std::uint32_t{}, 0), piece(std::uint32_t{}, size - 4);
    for (std::size_t at = 0; at < size; ++at) to[at] = from[at];
}

}  // namespace hubbub::inline v0::ws
