#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

#include <hubbub/policy/overflow_action.hpp>

namespace hubbub::inline v0 {

/// What a session has queued, when a message does not fit.
struct QueueState {
    std::uint32_t bytes, messages;
    QueueLimits const& limits;
};

/// The message that does not fit.
struct OverflowingMessage {
    std::string_view topic;  ///< empty for a direct send
    std::uint32_t bytes;     ///< on the wire
    std::uint64_t key;       ///< 0 for none
};

/// Decides what happens to a message that does not fit a session's queue; the queue then does it. It exists so that a chat can
/// disconnect where a ticker replaces.
///
/// Exemplar:
///     struct OverflowExemplar {
///         hubbub::OverflowAction on_full(hubbub::QueueState const&, hubbub::OverflowingMessage const&) const noexcept;
///     };
///
/// Required behaviour:
/// - Called on the thread of the session's shard, in the middle of a fan-out: it touches nothing of the hub and does not throw. Each
///   shard has an instance of its own.
/// - The topic's own option, where it has one, decides instead.
///
/// Models: Disconnect, DropNewest, DropOldest, LatestPerKey.
template <class T>
concept OverflowPolicy =
    std::copy_constructible<T> && requires(T const& policy, QueueState const& state, OverflowingMessage const& message) {
        { policy.on_full(state, message) } noexcept -> std::same_as<OverflowAction>;
    };

/// Always the same action.
template <OverflowAction action>
struct FixedOverflow {
    OverflowAction on_full(QueueState const&, OverflowingMessage const&) const noexcept { return action; }
};

/// Ends a session that does not keep up, with 1013: for chat and control, where a hole is worse than a reconnect.
struct Disconnect : FixedOverflow<OverflowAction::disconnect> {};
/// Refuses what is new: best effort.
struct DropNewest : FixedOverflow<OverflowAction::drop_newest> {};
/// Makes room from the front: logs and feeds.
struct DropOldest : FixedOverflow<OverflowAction::drop_oldest> {};
/// A newer message takes the place of the queued one with the same key: prices, positions.
struct LatestPerKey : FixedOverflow<OverflowAction::replace_key> {
    static constexpr bool keeps_last_of_key = true;
};

static_assert(OverflowPolicy<Disconnect> && OverflowPolicy<DropNewest> && OverflowPolicy<DropOldest> &&
              OverflowPolicy<LatestPerKey>);

}  // namespace hubbub::inline v0
