#pragma once

#include <cstdint>
#include <string>

namespace hubbub::inline v0::detail {

/// What the loop wants of nats.c.
struct NatsCommand {
    enum class Kind : std::uint8_t { publish, subscribe, unsubscribe };
    Kind kind;
    std::string subject;
    std::string body{};
    std::string reply{};  ///< where an answer is expected; empty: nowhere
    std::string id{};     ///< the header Nats-Msg-Id
};

}  // namespace hubbub::inline v0::detail
