#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <hubbub/ws/opcode.hpp>

namespace hubbub::inline v0 {

/// A whole message, borrowed: valid until the callback that got it returns. Text is valid UTF-8.
class MessageView {
   public:
    constexpr MessageView(ws::Opcode opcode, std::span<std::byte const> payload) noexcept
        : data_(payload.data()), size_(payload.size()), opcode_(opcode) {}

    static MessageView text(std::string_view payload) noexcept {
        return {ws::Opcode::text, std::as_bytes(std::span(payload.data(), payload.size()))};
    }
    static constexpr MessageView binary(std::span<std::byte const> payload) noexcept { return {ws::Opcode::binary, payload}; }

    constexpr bool is_text() const noexcept { return opcode_ == ws::Opcode::text; }
    constexpr ws::Opcode opcode() const noexcept { return opcode_; }
    constexpr std::span<std::byte const> payload() const noexcept { return {data_, size_}; }
    constexpr std::size_t size() const noexcept { return size_; }
    std::string_view view() const noexcept { return {reinterpret_cast<char const*>(data_), size_}; }

   private:
    std::byte const* data_;
    std::size_t size_;
    ws::Opcode opcode_;
};

}  // namespace hubbub::inline v0
