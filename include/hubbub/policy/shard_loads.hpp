#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <hubbub/core/ids.hpp>

namespace hubbub::inline v0 {

/// How many sessions each shard has, with those that are on their way to it.
///
/// Threading: any thread. Cost: touched when a session opens or ends, never for a message.
class ShardLoads {
   public:
    explicit ShardLoads(std::size_t shards) : loads_(shards) {}

    std::uint32_t operator[](ShardIndex shard) const noexcept {
        return loads_[shard.value].sessions.load(std::memory_order_relaxed);
    }
    void enter(ShardIndex shard) noexcept { loads_[shard.value].sessions.fetch_add(1, std::memory_order_relaxed); }
    void leave(ShardIndex shard) noexcept { loads_[shard.value].sessions.fetch_sub(1, std::memory_order_relaxed); }

   private:
    struct alignas(64) Load {  // a cache line of its own: sessions end on each shard at the same time
        std::atomic<std::uint32_t> sessions{0};
    };
    std::vector<Load> loads_;
};

}  // namespace hubbub::inline v0
