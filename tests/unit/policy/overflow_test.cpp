#include <hubbub/policy/overflow.hpp>

#include <hubbub/hub/hub_policy.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;

namespace {

OverflowAction decision(auto const& policy, std::uint32_t queued = 1000, std::uint64_t key = 0) {
    QueueLimits const limits;
    return policy.on_full({queued, 10, limits}, {"room", 100, key});
}

/// Chat topics disconnect, all else drops what is new.
struct ByTopic {
    OverflowAction on_full(QueueState const& state, OverflowingMessage const& message) const noexcept {
        if (state.bytes > state.limits.bytes / 2) return OverflowAction::disconnect;
        return message.topic.empty() ? OverflowAction::drop_newest : OverflowAction::drop_oldest;
    }
};
static_assert(OverflowPolicy<ByTopic>);

template <class Policy>
inline constexpr bool conflates = requires { Policy::keeps_last_of_key; };

struct MayThrow {
    OverflowAction on_full(QueueState const&, OverflowingMessage const&) const { return OverflowAction::disconnect; }
};

}  // namespace

TEST_CASE("Each stock overflow policy always decides what its name says") {
    CHECK(decision(Disconnect()) == OverflowAction::disconnect);
    CHECK(decision(DropNewest()) == OverflowAction::drop_newest);
    CHECK(decision(DropOldest()) == OverflowAction::drop_oldest);
    CHECK(decision(LatestPerKey(), 1000, 5) == OverflowAction::replace_key);
    CHECK(decision(Disconnect(), 0, 5) == OverflowAction::disconnect);
}

TEST_CASE("Only LatestPerKey conflates before a queue is full") {
    CHECK(conflates<LatestPerKey>);
    CHECK_FALSE(conflates<Disconnect>);
    CHECK_FALSE(conflates<DropNewest>);
    CHECK_FALSE(conflates<DropOldest>);
}

TEST_CASE("A policy of one's own sees queue, limits and message") {
    CHECK(decision(ByTopic()) == OverflowAction::drop_oldest);
    CHECK(decision(ByTopic(), 900'000) == OverflowAction::disconnect);
}

TEST_CASE("A policy that might throw in the middle of a fan-out is refused") { CHECK_FALSE(OverflowPolicy<MayThrow>); }

TEST_CASE("A hub disconnects who is too slow, unless another policy is chosen") {
    CHECK(std::is_same_v<DefaultPolicy::Overflow, Disconnect>);
    struct Ticker : DefaultPolicy {
        using Overflow = LatestPerKey;
    };
    CHECK(HubPolicy<Ticker>);
    CHECK(std::is_same_v<Ticker::Auth, AcceptAnyone>);
}
