#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include <hubbub/hub/membership_list.hpp>
#include <hubbub/hub/outbound_queue.hpp>

namespace hubbub::inline v0 {

/// What delivery knows of a session: its queue, its counts and where it is a member. Neither connection nor policy.
///
/// Threading: its shard's. Cost: constant, however many memberships it has.
class Subscriber {
   public:
    enum class State : std::uint8_t { open, overflowed, closing, closed };

    static constexpr std::uint32_t no_topic = Membership::no_topic;

    OutboundQueue queue;
    std::uint64_t written = 0;
    std::uint32_t dropped = 0;
    State state = State::open;
    bool in_flush_list = false;
    bool blocked = false;  ///< the connection refused something and will say when there is room
    bool pressed = false;  ///< above the high watermark, and not at the low one since
    // Both are looked at when a queue is empty, at once.
    std::uint32_t missed : 31 = 0;     ///< messages that were dropped for slowness since the last gap notice
    std::uint32_t recovering : 1 = 0;  ///< gets what a topic remembers, before what it publishes
    std::uint32_t seen = 0;            ///< how much the shard had published when this one was last brought up to date
    std::array<Membership, 2> few;     ///< most sessions have no more: the topic of all, and one of their own
    std::unique_ptr<MembershipList> more;

    /// How much that is, and from now on nothing.
    std::uint32_t take_missed() noexcept {
        std::uint32_t const count = missed;
        missed = 0;
        return count;
    }

    /// Messages that were ever meant for this session.
    std::uint64_t accepted() const noexcept { return written + dropped + queue.messages(); }

    std::size_t memberships() const noexcept {
        return static_cast<std::size_t>(few[0].topic != no_topic) + (few[1].topic != no_topic) + (more ? more->size() : 0);
    }

    /// Calls `visit(Membership&)` for each.
    template <class Visit>
    void each_membership(Visit&& visit) {
        for (Membership& membership : few)
            if (membership.topic != no_topic) visit(membership);
        if (more)
            for (Membership& membership : *more) visit(membership);
    }
    Membership* find(std::uint32_t topic) noexcept {
        for (Membership& membership : few)
            if (membership.topic == topic) return &membership;
        return more ? more->find(topic) : nullptr;
    }

    // ---- slots: what a topic's list of members remembers of a membership
    static constexpr std::uint32_t few_slots = 2;

    Membership& by_slot(std::uint32_t slot) noexcept { return slot < few_slots ? few[slot] : (*more)[slot - few_slots]; }
    std::uint32_t add(Membership membership) {
        for (std::uint32_t slot = 0; slot < few_slots; ++slot)
            if (few[slot].topic == no_topic) {
                few[slot] = membership;
                return slot;
            }
        if (!more) more = std::make_unique<MembershipList>();
        more->add(membership);
        return more->size() - 1 + few_slots;
    }
    /// Returns the membership that has moved to another slot by that, and the slot; or null.
    std::pair<Membership*, std::uint32_t> remove(Membership* membership) {
        if (membership >= few.data() && membership < few.data() + few_slots) {
            *membership = {};
            return {nullptr, 0};
        }
        auto const at = static_cast<std::uint32_t>(membership - more->begin());
        more->remove(at);
        if (at == more->size()) return {nullptr, 0};
        return {membership, at + few_slots};
    }
};

}  // namespace hubbub::inline v0
