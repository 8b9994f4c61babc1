#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace hubbub::inline v0 {

/// What of single sessions and topics a snapshot has besides the sums; nothing, by default.
struct CollectOptions {
    std::size_t sessions = 0;  ///< so many of each shard: those that have most queued, then those that stand still for longest
    std::size_t busiest = 0;   ///< so many topics of each shard, by members, and as many by publications
    std::vector<std::string> topics{};  ///< these besides
    // Only sessions that have all of these, where they are not empty.
    std::string user{};
    std::string label{};
    std::string address{};  ///< as PeerAddress::to_string writes it
};

}  // namespace hubbub::inline v0
