#pragma once

#include <cstddef>
#include <cstdint>

namespace hubbub::inline v0 {

/// What happens to a message that does not fit a session's queue.
enum class OverflowAction : std::uint8_t {
    disconnect,   ///< the session ends with 1013
    drop_newest,  ///< the message is dropped
    drop_oldest,  ///< the oldest queued messages of the same topic make room
};

/// Why a message did not reach a session. Every one is counted.
enum class DropReason : std::uint8_t { slow_consumer, session_closed };
inline constexpr std::size_t drop_reasons = 2;

/// How much one session may have queued. Never overstepped, not even by one message.
struct QueueLimits {
    std::uint32_t bytes = 1024 * 1024;
    std::uint32_t messages = 4096;  ///< at most 32,000
    OverflowAction on_full = OverflowAction::disconnect;
};

}  // namespace hubbub::inline v0
