#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <hubbub/hub/outbound_queue.hpp>

namespace hubbub::inline v0 {

/// What delivery knows of a session: its queue, its counts and where it is a member. Neither connection nor policy.
///
/// Threading: its shard's.
class Subscriber {
   public:
    enum class State : std::uint8_t { open, overflowed, closing, closed };

    /// One membership: which topic, and where in that topic's list of members.
    struct Membership {
        std::uint32_t topic = no_topic;
        std::uint32_t place = 0;
    };
    static constexpr std::uint32_t no_topic = ~0u;

    OutboundQueue queue;
    std::uint64_t written = 0;
    std::uint32_t dropped = 0;
    State state = State::open;
    bool in_flush_list = false;
    bool blocked = false;         ///< the connection refused something and will say when there is room
    std::uint32_t seen = 0;       ///< how much the shard had published when this one was last brought up to date
    Membership first;             ///< most sessions have one
    std::unique_ptr<std::vector<Membership>> more;

    /// Messages that were ever meant for this session.
    std::uint64_t accepted() const noexcept { return written + dropped + queue.messages(); }

    std::size_t memberships() const noexcept { return (first.topic != no_topic) + (more ? more->size() : 0); }

    /// Calls `visit(Membership&)` for each.
    template <class Visit>
    void each_membership(Visit&& visit) {
        if (first.topic != no_topic) visit(first);
        if (more)
            for (Membership& membership : *more) visit(membership);
    }
    Membership* find(std::uint32_t topic) noexcept {
        if (first.topic == topic) return &first;
        if (more)
            for (Membership& membership : *more)
                if (membership.topic == topic) return &membership;
        return nullptr;
    }
    /// 0 is `first`, else one more than the index in `more`.
    Membership& by_slot(std::uint32_t slot) noexcept { return slot ? (*more)[slot - 1] : first; }
};

}  // namespace hubbub::inline v0
