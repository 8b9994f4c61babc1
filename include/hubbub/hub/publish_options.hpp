#pragma once

#include <chrono>
#include <cstdint>

#include <hubbub/core/ids.hpp>
#include <hubbub/core/position.hpp>
#include <hubbub/core/unique_function.hpp>
#include <hubbub/policy/overflow_action.hpp>

namespace hubbub::inline v0 {

/// Why something was published to nobody, or not to other nodes.
enum class PublishFailure : std::uint8_t {
    none,
    apart,    ///< the broker is not there, and the topic refuses what it cannot tell all nodes
    full,     ///< so much waits for the broker that this was dropped
    refused,  ///< the broker does not take it
};

/// What became of it in the end.
struct PublishReceipt {
    Position position;
    bool repeated = false;                  ///< its id was published before, there: nothing was published now
    bool remembered = false;                ///< the topic has a history, and the position is one to come back with
    std::uint64_t subscribers = 0;          ///< members of this process when it was fanned out, less the excluded one
    std::uint64_t queued = 0;               ///< got into their queues
    std::uint64_t dropped[drop_reasons]{};  ///< did not, by DropReason
    PublishFailure failure = PublishFailure::none;
};

/// Options of one publication.
struct PublishOptions {
    std::uint64_t key = 0;                    ///< hash of what it is the newest value of; 0 for none
    std::chrono::milliseconds expires_in{0};  ///< dropped if it still waits then; 0 for never
    SessionId except{};                       ///< does not get it
    /// Hash of what names it; 0 for none. In a topic with history, another with the same id is not published for a while: who does not
    /// know whether it arrived can publish again.
    std::uint64_t id = 0;
    /// Called once every shard has fanned it out, on the loop of the shard that was last. Costs a fan-out of its own.
    UniqueFunction<void(PublishReceipt const&)> on_receipt{};
};

}  // namespace hubbub::inline v0
