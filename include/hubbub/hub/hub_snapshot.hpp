#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/hub/backplane_state.hpp>
#include <hubbub/hub/shard_snapshot.hpp>

namespace hubbub::inline v0 {

/// A whole hub at one moment; each shard at its own, some microseconds apart.
struct HubSnapshot {
    std::vector<ShardSnapshot> shards;
    BackplaneSnapshot backplane;
    std::uint64_t node = 0;        ///< this process, among those that a broker connects; 0 without one
    std::size_t memory_used = 0;   ///< bytes, of MemoryBudget, which hubs may share
    std::size_t memory_high = 0;   ///< above it nobody new is let in
    std::size_t memory_limit = 0;  ///< above it who keeps most is closed
    std::chrono::steady_clock::time_point at{};

    /// What has passed since an earlier one; never 0.
    double seconds_since(HubSnapshot const& before) const noexcept {
        return std::max(1e-3, std::chrono::duration<double>(at - before.at).count());
    }
    /// Which part of that time the loop of a shard has worked.
    double busy_since(HubSnapshot const& before, std::size_t shard) const noexcept {
        auto const time = shards[shard].measures.busy() - before.shards[shard].measures.busy();
        return std::chrono::duration<double>(time).count() / seconds_since(before);
    }
    /// Of all shards.
    ShardSnapshot total() const {
        ShardSnapshot sum;
        for (ShardSnapshot const& each : shards) sum += each;
        return sum;
    }
    /// The listed topics of all shards, each once; by members, the largest first.
    std::vector<TopicSnapshot> topics() const {
        std::map<std::string_view, TopicSnapshot> by_name;
        for (ShardSnapshot const& shard : shards)
            for (TopicSnapshot const& each : shard.listed) {
                TopicSnapshot& sum = by_name[each.name];
                sum.name = each.name;
                sum += each;
            }
        std::vector<TopicSnapshot> all;
        for (auto& [name, each] : by_name) all.push_back(std::move(each));
        std::sort(all.begin(), all.end(), [](TopicSnapshot const& one, TopicSnapshot const& other) {
            return one.members != other.members ? one.members > other.members : one.name < other.name;
        });
        return all;
    }
    /// The worst sessions of all shards, the worst first.
    std::vector<SessionSnapshot> worst() const {
        std::vector<SessionSnapshot> all;
        for (ShardSnapshot const& shard : shards) all.insert(all.end(), shard.worst.begin(), shard.worst.end());
        std::sort(all.begin(), all.end(), SessionSnapshot::Worse());
        return all;
    }
    bool is_draining() const noexcept {
        for (ShardSnapshot const& each : shards)
            if (each.is_draining) return true;
        return false;
    }
};

}  // namespace hubbub::inline v0
