#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include <hubbub/core/assert.hpp>
#include <hubbub/ws/close_code.hpp>
#include <hubbub/ws/utf8.hpp>

namespace hubbub::inline v0::ws {

/// The longest payload of a control frame (RFC 6455 5.5).
inline constexpr std::size_t max_control_payload = 125;
/// The longest reason of a Close: what the code leaves.
inline constexpr std::size_t max_close_reason = max_control_payload - 2;

/// What a Close frame says. If it is not `valid`, then `code` and `reason` say what to answer it with.
///
/// Lifetime: a valid one borrows `reason` from the frame.
struct ClosePayload {
    CloseCode code = CloseCode::no_status;
    std::string_view reason;
    bool valid = true;
};

/// Reads the payload of a Close frame (RFC 6455 5.5.1, 7.1.5, 7.1.6). An empty one is `no_status`.
inline ClosePayload parse_close_payload(std::span<std::byte const> payload) noexcept {
    if (payload.empty()) return {};
    if (payload.size() == 1) return {CloseCode::protocol_error, "a close code has two bytes", false};
    auto const code =
        static_cast<std::uint16_t>(std::to_integer<unsigned>(payload[0]) << 8 | std::to_integer<unsigned>(payload[1]));
    if (!is_valid_on_wire(code)) return {CloseCode::protocol_error, "that close code may not be sent", false};
    auto const reason = payload.subspan(2);
    if (!is_valid_utf8(reason)) return {CloseCode::invalid_payload, "a close reason must be UTF-8", false};
    return {static_cast<CloseCode>(code), {reinterpret_cast<char const*>(reason.data()), reason.size()}, true};
}

/// At most `limit` bytes of `text`, cut between two characters. `text` is valid UTF-8.
inline std::string_view cut_utf8(std::string_view text, std::size_t limit) noexcept {
    if (text.size() <= limit) return text;
    while (limit != 0 && (static_cast<unsigned char>(text[limit]) & 0xC0u) == 0x80u) --limit;
    return text.substr(0, limit);
}

/// Writes the payload of a Close frame and returns its length: nothing for `no_status`, else the code and so much of the
/// reason as fits, cut between two characters. A reason that is no UTF-8 is left out.
inline std::size_t encode_close_payload(std::span<std::byte, max_control_payload> out, CloseCode code,
                                        std::string_view reason) noexcept {
    if (code == CloseCode::no_status) return 0;
    auto const number = static_cast<std::uint16_t>(code);
    HUBBUB_ASSERT(is_valid_on_wire(number));
    out[0] = static_cast<std::byte>(number >> 8);
    out[1] = static_cast<std::byte>(number & 0xFF);
    if (reason.empty() || !is_valid_utf8(reason)) return 2;
    reason = cut_utf8(reason, max_close_reason);
    if (!reason.empty()) std::memcpy(out.data() + 2, reason.data(), reason.size());
    return 2 + reason.size();
}

}  // namespace hubbub::inline v0::ws
