#pragma once

#include <cstdint>

namespace hubbub::inline v0 {

/// What became of a message for one session.
enum class SendResult : std::uint8_t { queued, dropped, too_big, closed };

/// What became of a publication, as far as the publisher can know at once.
enum class PublishResult : std::uint8_t {
    accepted,
    too_big,         ///< it could never fit a session's queue
    malformed_name,  ///< see is_topic_name
    refused,         ///< the authorization said no
    busy,            ///< the mailbox of the topic's owner is full; nothing was published
    closed,          ///< the hub or the session has ended
};

}  // namespace hubbub::inline v0
