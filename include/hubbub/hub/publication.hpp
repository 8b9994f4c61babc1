#pragma once

#include <cstdint>

#include <hubbub/hub/subscriber.hpp>
#include <hubbub/policy/overflow_action.hpp>
#include <hubbub/ws/frame.hpp>
#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0 {

/// A message on its way into a topic's run.
struct Publication {
    MessageView message;
    Frame const* frame = nullptr;  ///< holds the message, if somebody has made one: a large one is then not copied
    Subscriber* except = nullptr;  ///< does not get it
    std::uint64_t key = 0;         ///< hash of its key, 0 for none
    std::int64_t expires_at = 0;   ///< in ticks of the loop's clock, 0 for never
    std::uint64_t position = 0;    ///< in the topic's order
};

/// What became of one publication on one shard, or on all.
struct PublishCounts {
    std::uint64_t subscribers = 0;
    std::uint64_t queued = 0;
    std::uint64_t dropped[drop_reasons] = {};

    PublishCounts& operator+=(PublishCounts const& other) noexcept {
        subscribers += other.subscribers;
        queued += other.queued;
        for (std::size_t i = 0; i < drop_reasons; ++i) dropped[i] += other.dropped[i];
        return *this;
    }
};

}  // namespace hubbub::inline v0
