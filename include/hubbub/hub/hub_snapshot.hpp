#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include <hubbub/hub/backplane_state.hpp>
#include <hubbub/hub/shard_snapshot.hpp>

namespace hubbub::inline v0 {

/// A whole hub at one moment; each shard at its own, some microseconds apart.
struct HubSnapshot {
    std::vector<ShardSnapshot> shards;
    BackplaneSnapshot backplane;
    std::size_t memory_used = 0;   ///< bytes, of MemoryBudget, which hubs may share
    std::size_t memory_high = 0;   ///< above it nobody new is let in
    std::size_t memory_limit = 0;  ///< above it who keeps most is closed
    std::chrono::steady_clock::time_point at{};

    /// Of all shards.
    ShardSnapshot total() const {
        ShardSnapshot sum;
        for (ShardSnapshot const& each : shards) sum += each;
        return sum;
    }
    bool is_draining() const noexcept {
        for (ShardSnapshot const& each : shards)
            if (each.is_draining) return true;
        return false;
    }
};

}  // namespace hubbub::inline v0
