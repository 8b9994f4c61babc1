#pragma once

#include <cstdint>

namespace hubbub::inline v0 {

/// What became of a message for one session.
enum class SendResult : std::uint8_t { queued, dropped, too_big, closed };

/// What became of a publication, as far as the publisher can know at once.
enum class PublishResult : std::uint8_t { accepted, too_big, closed };

}  // namespace hubbub::inline v0
