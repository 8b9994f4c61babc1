#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <hubbub/ws/byte_buffer.hpp>
#include <hubbub/ws/inbound_header.hpp>
#include <hubbub/ws/mask.hpp>
#include <hubbub/ws/utf8.hpp>

namespace hubbub::inline v0::ws {

/// What a decoder remembers of a frame or message that has begun and has not ended.
struct DecoderState {
    explicit DecoderState(BlockPool* pool = nullptr) noexcept : buffer(pool), kept(pool) {}

    ByteBuffer buffer;  ///< the message so far; behind it the control frame that is under way
    ByteBuffer kept;    ///< not decoded yet, because a sink said stop
    std::size_t kept_from = 0;
    std::size_t message_size = 0;  ///< how much of `buffer` is the message
    std::uint64_t remaining = 0;   ///< bytes of payload that the frame under way still needs
    std::uint64_t frame_size = 0;  ///< bytes of payload that it has in all
    std::uint32_t fragments = 0;   ///< data frames of the message so far
    MaskKey key{};
    std::array<std::byte, max_header> header{};  ///< of a frame whose header is not whole
    std::uint8_t header_size = 0;
    Opcode frame_opcode = Opcode::continuation;
    Opcode message_opcode = Opcode::text;
    Utf8Validator utf8;
    bool in_frame = false;  ///< the header is read, payload is to come
    bool frame_fin = false;
    bool message_open = false;
    bool message_compressed = false;

    bool incomplete() const noexcept { return in_frame || message_open || header_size != 0; }
    bool stopped() const noexcept { return kept.size() != 0; }
    std::size_t memory() const noexcept { return sizeof *this + buffer.capacity() + kept.capacity(); }
    MessageContext context() const noexcept { return {message_size, fragments, message_open}; }

    bool checks_text() const noexcept { return message_opcode == Opcode::text && !message_compressed; }

    /// The header of a frame is read; its payload follows.
    void begin_frame(InboundHeader const& head) noexcept {
        in_frame = true;
        header_size = 0;
        remaining = frame_size = head.payload;
        key = head.key;
        frame_opcode = head.opcode;
        frame_fin = head.fin;
        if (is_control(head.opcode)) return;
        if (head.opcode != Opcode::continuation) {
            message_open = true;
            message_opcode = head.opcode;
            message_compressed = head.compressed;
        }
        ++fragments;
    }

    enum class Taken : std::uint8_t { taken, bad_text, no_memory };

    /// Takes a piece of the payload of the frame under way, at most what remains of it: unmasks it, checks text as it
    /// comes (RFC 6455 8.1), keeps it.
    template <bool Masked>
    Taken take(std::span<std::byte> piece) noexcept {
        if constexpr (Masked) apply_mask(piece, key, static_cast<std::size_t>((frame_size - remaining) & 3));
        bool const control = is_control(frame_opcode);
        if (!control && checks_text() && !utf8.feed(piece)) return Taken::bad_text;
        // A frame that is not the last says nothing about what follows it, so a message of several frames may double.
        bool const known = control || frame_fin;
        std::size_t const total = buffer.size() + static_cast<std::size_t>(remaining);
        if (!buffer.append(piece, known ? total : std::max(total, 2 * buffer.capacity()))) return Taken::no_memory;
        remaining -= piece.size();
        if (!control) message_size += piece.size();
        return Taken::taken;
    }

    void end_message() noexcept {
        message_open = false;
        message_size = 0;
        fragments = 0;
        buffer.truncate(0);
    }
};

}  // namespace hubbub::inline v0::ws
