#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include <hubbub/ws/inbound_header.hpp>
#include <hubbub/ws/mask.hpp>
#include <hubbub/ws/opcode.hpp>

namespace hubbub::inline v0::ws {

/// One frame as a client sends it. Everything may be wrong on purpose: tests need that.
struct ClientFrame {
    enum class Length : std::uint8_t { shortest, bits16, bits64 };

    unsigned opcode = 0x1;  ///< 0 to 15
    std::span<std::byte const> payload;
    MaskKey key{std::byte{0x37}, std::byte{0xFA}, std::byte{0x21}, std::byte{0x3D}};  ///< a real client draws it at random
    bool fin = true;
    std::uint8_t rsv = 0;  ///< RSV1 is 4, RSV2 is 2, RSV3 is 1
    bool masked = true;
    Length length = Length::shortest;  ///< how the length is written; `shortest` is the only legal way

    static ClientFrame text(std::string_view payload) noexcept { return make(Opcode::text, payload); }
    static ClientFrame make(Opcode opcode, std::string_view payload) noexcept {
        ClientFrame frame;
        frame.opcode = static_cast<unsigned>(opcode);
        frame.payload = std::as_bytes(std::span(payload.data(), payload.size()));
        return frame;
    }
};

/// Appends the frame as it goes to the socket (RFC 6455 5.2).
inline void append_frame(std::string& out, ClientFrame const& frame) {
    using Length = ClientFrame::Length;
    std::uint64_t const size = frame.payload.size();
    auto const put = [&out](std::uint64_t value) {
        out.push_back(static_cast<char>(static_cast<unsigned char>(value & 0xFF)));
    };
    std::uint64_t const mask_bit = frame.masked ? 0x80 : 0;
    put((frame.fin ? 0x80u : 0u) | (frame.rsv & 7u) << 4 | (frame.opcode & 0xFu));
    if (frame.length == Length::shortest && size < 126) {
        put(mask_bit | size);
    } else if (frame.length == Length::bits16 || (frame.length == Length::shortest && size < 65536)) {
        put(mask_bit | 126);
        for (int shift = 8; shift >= 0; shift -= 8) put(size >> shift);
    } else {
        put(mask_bit | 127);
        for (int shift = 56; shift >= 0; shift -= 8) put(size >> shift);
    }
    if (frame.masked) out.append(reinterpret_cast<char const*>(frame.key.data()), frame.key.size());
    std::size_t const begin = out.size();
    if (size != 0) out.append(reinterpret_cast<char const*>(frame.payload.data()), frame.payload.size());
    if (frame.masked) apply_mask(std::as_writable_bytes(std::span(out.data() + begin, out.size() - begin)), frame.key);
}

/// The frame as it goes to the socket.
inline std::string encode_frame(ClientFrame const& frame) {
    std::string out;
    out.reserve(max_header + frame.payload.size());
    append_frame(out, frame);
    return out;
}

}  // namespace hubbub::inline v0::ws
