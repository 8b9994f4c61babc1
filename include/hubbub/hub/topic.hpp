#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hubbub/core/position.hpp>
#include <hubbub/hub/history.hpp>
#include <hubbub/hub/presence.hpp>
#include <hubbub/hub/subscriber.hpp>
#include <hubbub/hub/topic_link.hpp>
#include <hubbub/hub/variant_runs.hpp>
#include <hubbub/policy/overflow_action.hpp>

namespace hubbub::inline v0 {

/// Where a member's part of an open run begins, and what of it is not for him.
struct RunPart {
    std::uint32_t segment, offset;
    std::uint32_t before;  ///< messages of that segment before `offset`
    std::uint32_t first_exclusion, last_exclusion;
    std::uint32_t superseded;  ///< messages that were overwritten in the run while it was wholly this member's
};

/// A message of an open run that one member does not get.
struct RunExclusion {
    std::uint32_t segment, offset, length;
    std::uint32_t before;
    std::uint32_t next;
};

/// One topic as one shard sees it: its members here, and the messages of this turn, which are fanned out at its end.
struct Topic {
    using Segment = RunSegment;
    struct Member {
        static constexpr std::uint32_t whole = 0;             ///< gets the whole open run
        static constexpr std::uint32_t joining = ~0u;         ///< waits for the owner's answer
        static constexpr std::uint32_t recovering = ~0u - 1;  ///< waits until it has what the topic remembers

        Subscriber* subscriber;
        std::uint32_t slot;  ///< see Subscriber::by_slot
        std::uint32_t from;  ///< `whole`, `joining`, `recovering`, or 1 + the number of a RunPart

        /// Gets nothing yet.
        bool waits() const noexcept { return from >= recovering; }
    };
    static_assert(sizeof(Member) == 16);
    enum class Interest : std::uint8_t { none, asked, acknowledged };

    /// One of the hub's own: all, a user, a label.
    bool is_internal() const noexcept { return !name.empty() && name.front() == '\0'; }

    std::string name;
    std::vector<Member> members;
    std::vector<Segment> run;
    std::uint32_t size_hint = 0;            ///< bytes of the last run
    Position position;                      ///< of the newest message in the topic's order
    std::uint64_t interested_shards = 0;    ///< at the owner: a bit for each other shard that has members
    Interest interest = Interest::none;     ///< at a shard that is not the owner
    std::optional<OverflowAction> on_full;  ///< instead of the policy's
    bool keeps_last_of_key = false;         ///< its messages conflate by key
    bool has_parts = false;                 ///< somebody gets only a part of the open run
    bool remembers = false;                 ///< it has a history, at the owner
    bool knows_members = false;             ///< it has a presence, at the owner
    std::uint32_t superseded = 0;           ///< messages that were overwritten in the open run
    std::unique_ptr<VariantRuns> variants;  ///< while some member is sent other frames than the plain ones
    std::unique_ptr<History> history;       ///< at the owner, like the next
    std::unique_ptr<Presence> presence;
    std::unique_ptr<TopicLink> link;  ///< to a broker
    std::uint64_t dropped[drop_reasons] = {};
};

}  // namespace hubbub::inline v0
