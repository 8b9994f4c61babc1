#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <hubbub/ws/opcode.hpp>

namespace hubbub::inline v0 {

/// A whole message, borrowed: valid until the callback that got it returns. Text is valid UTF-8.
class MessageView {
   public:
    constexpr MessageView(ws::Opcode opcode, std::span<std::byte const> payload) noexcept
        : data_(payload.data()), word_(std::uint64_t{payload.size()} << opcode_bits | static_cast<std::uint8_t>(opcode)) {}

    static MessageView text(std::string_view payload) noexcept {
        return {ws::Opcode::text, std::as_bytes(std::span(payload.data(), payload.size()))};
    }
    static constexpr MessageView binary(std::span<std::byte const> payload) noexcept { return {ws::Opcode::binary, payload}; }

    constexpr bool is_text() const noexcept { return opcode() == ws::Opcode::text; }
    constexpr ws::Opcode opcode() const noexcept { return static_cast<ws::Opcode>(word_ & ((1u << opcode_bits) - 1)); }
    constexpr std::span<std::byte const> payload() const noexcept { return {data_, size()}; }
    constexpr std::size_t size() const noexcept { return static_cast<std::size_t>(word_ >> opcode_bits); }
    std::string_view view() const noexcept { return {reinterpret_cast<char const*>(data_), size()}; }

   private:
    static constexpr unsigned opcode_bits = 4;

    std::byte const* data_;
    // Size and opcode, so that a message travels in two registers, and not through memory at each call on its way.
    std::uint64_t word_;
};

static_assert(sizeof(MessageView) <= 16);

}  // namespace hubbub::inline v0
