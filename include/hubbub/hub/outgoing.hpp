#pragma once

#include <cstdint>
#include <memory>

#include <hubbub/core/ids.hpp>
#include <hubbub/hub/mail.hpp>
#include <hubbub/ws/frame.hpp>

namespace hubbub::inline v0 {

/// A message that is to be published, and how.
struct Outgoing {
    MessageView message;
    Frame const* frame = nullptr;  ///< holds it, if somebody has made one
    SessionId except{};
    std::uint64_t key = 0;
    std::int64_t expires_at = 0;
    std::uint64_t id = 0;
    std::shared_ptr<PendingReceipt> receipt{};

    /// What a letter about it says.
    Mail letter(Mail::Kind kind) const noexcept {
        return {.kind = kind,
                .opcode = message.opcode(),
                .from = {},
                .session = except,
                .position = {},
                .key = key,
                .expires_at = expires_at,
                .id = id};
    }
};

}  // namespace hubbub::inline v0
