#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <hubbub/core/shard_loop.hpp>
#include <hubbub/transport/memory/memory_wire.hpp>

namespace hubbub::inline v0 {

/// What the driver asks of its connections.
struct MemoryEndpoint {
    /// Settles what was deferred in this turn.
    virtual void settle() noexcept = 0;
    /// Delivers what the wire has for the server, at most `bytes` of it. False if there was nothing.
    virtual bool deliver(std::size_t bytes) noexcept = 0;
    /// Tells the owner that there is room again, if it waits for that. False if not.
    virtual bool make_progress() noexcept = 0;

   protected:
    ~MemoryEndpoint() = default;
};

/// The driver of in-memory connections: remembers which of them have something to settle at the end of the turn.
///
/// Threading: its loop's.
class MemoryDriver {
   public:
    using Loop = ShardLoop;
    struct Options {};

    explicit MemoryDriver(ShardLoop& loop, Options const& = {}) : loop_(&loop) {}

    ShardLoop& loop() const noexcept { return *loop_; }

    void commit() {
        for (std::size_t i = 0; i < deferred_.size(); ++i)
            if (deferred_[i]) deferred_[i]->settle();
        deferred_.clear();
    }
    void defer(MemoryEndpoint& endpoint) { deferred_.push_back(&endpoint); }

    /// An endpoint has moved or goes; null for the latter.
    void replace(MemoryEndpoint* from, MemoryEndpoint* to) {
        std::replace(deferred_.begin(), deferred_.end(), from, to);
        for (auto& [wire, endpoint] : endpoints_)
            if (endpoint == from) endpoint = to;
        if (!to) std::erase_if(endpoints_, [](auto const& entry) { return !entry.second; });
    }
    void add(MemoryWire& wire, MemoryEndpoint& endpoint) {
        for (auto& entry : endpoints_)
            if (entry.first == &wire) {
                entry.second = &endpoint;
                return;
            }
        endpoints_.emplace_back(&wire, &endpoint);
    }

    /// The endpoint of a wire while a connection of this driver owns it, else null. What a test or simulation calls `deliver`
    /// and `make_progress` on, inside a turn.
    MemoryEndpoint* find(MemoryWire const& wire) const {
        for (auto const& [known, endpoint] : endpoints_)
            if (known == &wire) return endpoint;
        return nullptr;
    }

   private:
    ShardLoop* loop_;
    std::vector<MemoryEndpoint*> deferred_;
    std::vector<std::pair<MemoryWire*, MemoryEndpoint*>> endpoints_;
};

}  // namespace hubbub::inline v0
