#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <hubbub/ws/close_code.hpp>
#include <hubbub/ws/close_payload.hpp>
#include <hubbub/ws/mask.hpp>
#include <hubbub/ws/opcode.hpp>
#include <hubbub/ws/role.hpp>

namespace hubbub::inline v0::ws {

/// The longest header of any frame: 2 bytes, a 64-bit length and a masking key (RFC 6455 5.2).
inline constexpr std::size_t max_header = 14;

/// How large an incoming message may be. Checked on a frame's header, before a byte of it is kept.
struct DecoderLimits {
    std::size_t message = 64 * 1024;  ///< bytes of a whole message, over all its fragments; beyond it 1009
    std::uint32_t fragments = 128;    ///< data frames of one message; beyond it 1008
    bool compressed = false;          ///< RSV1 was negotiated (RFC 7692 6)
};

/// What came before a frame in the message that it may belong to.
struct MessageContext {
    std::size_t size = 0;         ///< bytes of payload so far
    std::uint32_t fragments = 0;  ///< data frames so far
    bool open = false;            ///< a message has begun and has not ended
};

/// The header of one frame, as it came from the peer.
struct InboundHeader {
    enum class Parsed : std::uint8_t { complete, need_more, refused };

    std::uint64_t payload = 0;  ///< bytes
    MaskKey key{};
    Opcode opcode = Opcode::continuation;
    std::uint8_t size = 0;  ///< of the header itself, in bytes
    bool fin = false;
    bool compressed = false;  ///< RSV1

    /// Where `refused` comes from.
    CloseCode error = CloseCode::protocol_error;
    std::string_view reason;

    /// Reads and checks what is there of a header. Each check is made as soon as the bytes that it needs are there, in the
    /// order of the bytes: so the answer does not depend on how they were split.
    template <Role R>
    Parsed parse(std::span<std::byte const> bytes, MessageContext const& message, DecoderLimits const& limits) noexcept;

   private:
    Parsed refuse(CloseCode code, std::string_view why) noexcept {
        error = code;
        reason = why;
        return Parsed::refused;
    }
    bool fail(CloseCode code, std::string_view why) noexcept { return refuse(code, why) != Parsed::refused; }
    bool first_byte(unsigned byte, MessageContext const& message, DecoderLimits const& limits) noexcept;
    bool check_size(MessageContext const& message, DecoderLimits const& limits) noexcept;
};

/// FIN, RSV and opcode (RFC 6455 5.2, 5.4, 5.5). False: `error` and `reason` are set.
inline bool InboundHeader::first_byte(unsigned byte, MessageContext const& message, DecoderLimits const& limits) noexcept {
    unsigned const code = byte & 0x0Fu;
    fin = (byte & 0x80u) != 0;
    compressed = (byte & 0x40u) != 0;
    opcode = static_cast<Opcode>(code);
    if (byte & 0x30u) return fail(CloseCode::protocol_error, "reserved bits must be 0");
    if (code > 0xA || (code > 0x2 && code < 0x8)) return fail(CloseCode::protocol_error, "that opcode is reserved");
    bool const starts = opcode == Opcode::text || opcode == Opcode::binary;
    // RFC 7692 6: RSV1 only on the first frame of a message.
    if (compressed && !(limits.compressed && starts)) return fail(CloseCode::protocol_error, "reserved bits must be 0");
    if (is_control(opcode)) return fin || fail(CloseCode::protocol_error, "a control frame may not be fragmented");
    if (starts && message.open) return fail(CloseCode::protocol_error, "the last message has not ended");
    if (!starts && !message.open) return fail(CloseCode::protocol_error, "there is no message to continue");
    if (message.open && message.fragments >= limits.fragments) return fail(CloseCode::policy_violation, "too many fragments");
    return true;
}

inline bool InboundHeader::check_size(MessageContext const& message, DecoderLimits const& limits) noexcept {
    if (is_control(opcode)) return true;
    // Unsigned and without a sum that could overflow.
    if (message.size <= limits.message && payload <= limits.message - message.size) return true;
    return fail(CloseCode::message_too_big, "the message is too big");
}

template <Role R>
InboundHeader::Parsed InboundHeader::parse(std::span<std::byte const> bytes, MessageContext const& message,
                                           DecoderLimits const& limits) noexcept {
    auto const at = [bytes](std::size_t i) { return std::to_integer<unsigned>(bytes[i]); };
    if (bytes.empty()) return Parsed::need_more;
    if (!first_byte(at(0), message, limits)) return Parsed::refused;
    if (bytes.size() < 2) return Parsed::need_more;

    constexpr bool demands_mask = R == Role::server;
    if (((at(1) & 0x80u) != 0) != demands_mask) {  // RFC 6455 5.1
        return refuse(CloseCode::protocol_error,
                      demands_mask ? "frames of a client must be masked" : "frames of a server may not be masked");
    }
    unsigned const low = at(1) & 0x7Fu;
    if (is_control(opcode) && low > max_control_payload) {
        return refuse(CloseCode::protocol_error, "a control frame has at most 125 bytes");
    }
    unsigned const extended = low == 127 ? 8 : low == 126 ? 2 : 0;
    if (extended == 8 && bytes.size() > 2 && (at(2) & 0x80u)) {
        return refuse(CloseCode::protocol_error, "the top bit of a length must be 0");
    }
    if (bytes.size() < 2 + extended) return Parsed::need_more;
    payload = extended == 0 ? low : 0;
    for (unsigned i = 0; i < extended; ++i) payload = payload << 8 | at(2 + i);
    if ((extended == 2 && payload < 126) || (extended == 8 && payload < 65536)) {
        return refuse(CloseCode::protocol_error, "a length must have its shortest form");
    }
    if (!check_size(message, limits)) return Parsed::refused;

    size = static_cast<std::uint8_t>(2 + extended + (demands_mask ? 4 : 0));
    if (bytes.size() < size) return Parsed::need_more;
    if constexpr (demands_mask) {
        for (std::size_t i = 0; i < 4; ++i) key[i] = bytes[2 + extended + i];
    }
    return Parsed::complete;
}

}  // namespace hubbub::inline v0::ws
