#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/core/ids.hpp>

namespace hubbub::inline v0 {

/// Whether a topic knows who is subscribed to it.
struct PresenceOptions {
    bool kept = false;
    /// Subscribers are told who came and went, at most so often, if the codec says how (`Policy::Codec::presence`); 0: never.
    std::chrono::milliseconds told_every{1000};
    std::uint32_t most_told = 100;  ///< members of each kind that are named at once; the rest is counted
    /// With a broker: another node that has not been heard of for so long is taken for dead, and its members have left.
    std::chrono::milliseconds lease{30'000};

    explicit operator bool() const noexcept { return kept; }
    bool operator==(PresenceOptions const&) const = default;
};

/// One session that is subscribed to a topic.
struct PresenceMember {
    SessionId session;
    std::string user;  ///< empty for nobody in particular
    std::vector<std::string> labels{};
    std::uint64_t node = 0;  ///< whose session that is; 0 without a broker
    bool operator==(PresenceMember const&) const = default;
};

/// Who has come to a topic and left it since that was last told.
struct PresenceChange {
    std::string_view topic;                 ///< borrowed
    std::vector<PresenceMember> entered{};  ///< or has another identity now
    std::vector<PresenceMember> left{};
    std::size_t untold = 0;    ///< so many more came or left
    std::size_t sessions = 0;  ///< that are there now
    std::size_t users = 0;     ///< the same, each user once
};

/// Who is there.
struct PresencePage {
    std::vector<PresenceMember> members{};
    std::size_t sessions = 0;
    std::size_t users = 0;  ///< sessions of nobody in particular are one together
    /// False: the topic has no presence; nobody has been there; or, with a broker, nobody is there on this node, and the others could not be
    /// asked.
    bool known = false;
};

}  // namespace hubbub::inline v0
