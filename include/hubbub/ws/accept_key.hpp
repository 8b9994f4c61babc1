#pragma once

#include <array>
#include <cstring>
#include <string_view>

#include <hubbub/core/assert.hpp>
#include <hubbub/ws/base64.hpp>
#include <hubbub/ws/sha1.hpp>

namespace hubbub::inline v0::ws {

/// The value of `Sec-WebSocket-Accept`.
class AcceptKey {
   public:
    AcceptKey() noexcept = default;
    /// From the value of `Sec-WebSocket-Key`, 24 characters (RFC 6455 4.2.2).
    explicit AcceptKey(std::string_view key) noexcept {
        constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        std::array<char, 24 + guid.size()> joined;
        HUBBUB_ASSERT(key.size() == 24);
        std::memcpy(joined.data(), key.data(), 24);
        std::memcpy(joined.data() + 24, guid.data(), guid.size());
        encode_base64(Sha1::of({joined.data(), joined.size()}), text_.data());
    }

    std::string_view view() const noexcept { return {text_.data(), text_.size()}; }

   private:
    std::array<char, 28> text_{};
};

}  // namespace hubbub::inline v0::ws
