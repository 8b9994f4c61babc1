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
    apart,           ///< the broker is not there, and the topic is one that refuses then: see TopicOptions::when_apart
    busy,            ///< the mailbox of the topic's owner is full, or it cannot get rid of what it has; nothing was published
    closed,          ///< the hub or the session has ended
};

/// What became of a new identity for a session.
enum class RefreshResult : std::uint8_t {
    refreshed,
    refused,       ///< the authentication said no; the old identity holds as long as it does
    another_user,  ///< somebody else's; the same
    too_many,      ///< nobody in particular became a user, who has as many connections as he may
    closed,
};

}  // namespace hubbub::inline v0
