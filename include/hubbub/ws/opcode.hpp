#pragma once

#include <cstdint>

namespace hubbub::inline v0::ws {

/// RFC 6455 5.2 and 11.8.
enum class Opcode : std::uint8_t { continuation = 0x0, text = 0x1, binary = 0x2, close = 0x8, ping = 0x9, pong = 0xA };

/// RFC 6455 5.5: control frames have the top bit of the opcode set.
constexpr bool is_control(Opcode opcode) noexcept { return (static_cast<unsigned>(opcode) & 0x8u) != 0; }

}  // namespace hubbub::inline v0::ws
