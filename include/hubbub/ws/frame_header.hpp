#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <hubbub/ws/copy.hpp>
#include <hubbub/ws/opcode.hpp>

namespace hubbub::inline v0::ws {

/// The longest header of an unmasked frame: 2 bytes and a 64-bit length (RFC 6455 5.2).
inline constexpr std::size_t max_server_header = 10;

/// Writes the header of an unmasked, unfragmented frame to `out`, which has room for it: `max_server_header` bytes always do.
/// Returns its length: 2, 4 or 10, always the shortest form (RFC 6455 5.2).
inline std::size_t encode_server_header(std::byte* out, Opcode opcode, std::size_t payload, bool compressed = false) noexcept {
    out[0] = static_cast<std::byte>(0x80u | (compressed ? 0x40u : 0u) | static_cast<unsigned>(opcode));
    if (payload < 126) [[likely]] {
        out[1] = static_cast<std::byte>(payload);
        return 2;
    }
    if (payload < 65536) {
        out[1] = std::byte{126};
        out[2] = static_cast<std::byte>(payload >> 8);
        out[3] = static_cast<std::byte>(payload);
        return 4;
    }
    out[1] = std::byte{127};
    for (std::size_t i = 0; i < 8; ++i) out[2 + i] = static_cast<std::byte>(std::uint64_t{payload} >> (56 - 8 * i));
    return 10;
}

/// Writes an unmasked, unfragmented frame to `out`, which has room for it. Returns its length.
[[gnu::always_inline]] inline std::size_t encode_server_frame(std::byte* out, Opcode opcode, std::span<std::byte const> payload,
                                                              bool compressed = false) noexcept {
    std::size_t const header = encode_server_header(out, opcode, payload.size(), compressed);
    copy_payload(out + header, payload);
    return header + payload.size();
}

/// Length on the wire of an unmasked frame with that many bytes of payload.
constexpr std::size_t server_frame_size(std::size_t payload) noexcept {
    if (payload < 126) [[likely]]
        return payload + 2;
    return payload + (payload < 65536 ? 4u : 10u);
}

/// Length on the wire of the unmasked frame that begins at `frame`: server frames delimit themselves, so a block of them
/// needs no index. The header must be whole.
inline std::size_t server_frame_size(std::byte const* frame) noexcept {
    auto const at = [frame](std::size_t i) { return std::to_integer<std::size_t>(frame[i]); };
    std::size_t const low = at(1) & 127;
    if (low < 126) return low + 2;
    if (low == 126) return (at(2) << 8 | at(3)) + 4;
    std::size_t length = 0;
    for (std::size_t i = 2; i < 10; ++i) length = length << 8 | at(i);
    return length + 10;
}

/// Length of the header of the unmasked frame that begins at `frame`: 2, 4 or 10.
inline std::size_t server_header_size(std::byte const* frame) noexcept {
    std::size_t const low = std::to_integer<std::size_t>(frame[1]) & 127;
    return low < 126 ? 2 : low == 126 ? 4 : 10;
}

/// True if the frame that begins there is a message, not a control frame. Our messages are never fragmented.
inline bool is_message_frame(std::byte const* frame) noexcept { return (frame[0] & std::byte{0x08}) == std::byte{0}; }

}  // namespace hubbub::inline v0::ws
