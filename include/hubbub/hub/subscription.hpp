#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <hubbub/core/position.hpp>

namespace hubbub::inline v0 {

/// Whether a subscription has begun. How it ended comes with `on_subscribed`.
enum class SubscribeResult : std::uint8_t {
    started,
    already,         ///< it is a member, or about to be
    too_many,        ///< the session has as many as it may
    too_often,       ///< it has subscribed more often than it may: see SessionRates
    malformed_name,  ///< empty, longer than 255 bytes, or with a leading NUL
    closed,
};

/// What of a topic's history comes before what is published from now on. Topics without history have none: see
/// TopicOptions::history.
struct SubscribeOptions {
    std::optional<Position> since{};  ///< everything behind it, if it is still remembered
    std::uint32_t newest = 0;         ///< otherwise so many of the newest
};

/// What `on_subscribed` is told.
struct Subscription {
    std::string_view topic;  ///< borrowed
    bool allowed = true;     ///< false: the authorization refused, and nothing has changed
    Position position;       ///< everything behind it comes: first what is remembered, then what is published
    /// Nothing was missed since SubscribeOptions::since. False: it was not given, or too much was forgotten meanwhile, or the topic
    /// has begun anew. Comes a second time, and false, if a client is so slow that it is forgotten before he has taken it.
    bool recovered = false;
    bool remembered = false;  ///< the topic has a history, so that a client can come back with a position
};

/// Names of topics that are the hub's own: who is in them follows from what a session is.
namespace internal_topics {
inline constexpr std::string_view all{"\0a", 2};
inline constexpr std::string_view control{"\0c", 2};  ///< what a node tells all nodes: see ControlMessage
inline std::string user(std::string_view name) { return std::string("\0u", 2).append(name); }
inline std::string label(std::string_view name) { return std::string("\0l", 2).append(name); }
}  // namespace internal_topics

inline constexpr std::size_t longest_topic = 255;

inline constexpr bool is_topic_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= longest_topic && name.front() != '\0';
}

}  // namespace hubbub::inline v0
