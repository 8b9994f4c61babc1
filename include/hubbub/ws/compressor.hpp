#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0::ws {

/// Compresses messages so that each stands alone: what it makes can be sent to every session of a variant, in any order, or not.
///
/// Threading: one shard.
struct Compressor {
    /// Sessions that can be sent the same frames have the same variant; those that are sent plain ones have this.
    static constexpr std::uint8_t plain = 0;

    /// The payload of a frame with RSV1 that says the same, valid until the next call; nothing where the plain frame is to be
    /// sent, because it is small or would not become shorter.
    virtual std::optional<std::span<std::byte const>> compress(std::uint8_t variant, MessageView message) = 0;

   protected:
    ~Compressor() = default;
};

}  // namespace hubbub::inline v0::ws
