#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <hubbub/core/identity.hpp>

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

    /// A session passes the filter; `peer()` is where it comes from.
    template <class Peer>
    bool wants(Identity const& who, Peer&& peer) const {
        return (user.empty() || who.user == user) &&
               (label.empty() || std::ranges::find(who.labels, label) != who.labels.end()) &&
               (address.empty() || peer().to_string() == address);
    }
};

}  // namespace hubbub::inline v0
