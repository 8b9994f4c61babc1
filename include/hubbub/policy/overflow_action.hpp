#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hubbub::inline v0 {

/// What happens to a message that does not fit a session's queue.
enum class OverflowAction : std::uint8_t {
    disconnect,   ///< the session ends with 1013
    drop_newest,  ///< the message is dropped
    drop_oldest,  ///< the oldest queued messages of the same topic make room
    replace_key,  ///< takes the place of the queued message with the same key, always; at the limit it is dropped if there is none
};

/// Why a message did not reach a session. Every one is counted.
enum class DropReason : std::uint8_t {
    slow_consumer,   ///< did not fit the queue, or was evicted from it
    superseded,      ///< a newer message with the same key took its place
    expired,         ///< outlived what its publisher gave it
    session_closed,  ///< was queued, or came in the same turn, when the session ended
};
inline constexpr std::size_t drop_reasons = 4;
inline constexpr std::string_view drop_reason_names[drop_reasons] = {"slow_consumer", "superseded", "expired",
                                                                     "session_closed"};

/// How much one session may have queued. Never overstepped, not even by one message.
struct QueueLimits {
    std::uint32_t bytes = 1024 * 1024;
    std::uint32_t messages = 4096;          ///< at most 32,000
    std::uint32_t high_bytes = 512 * 1024;  ///< above it the handler's `on_pressure` is called
    std::uint32_t low_bytes = 128 * 1024;   ///< at or below it again, `on_relief`
};

}  // namespace hubbub::inline v0
