#pragma once

#include <algorithm>
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
    /// True if one of the two would do something now.
    virtual bool is_ready() const noexcept = 0;
    /// The loop that it belongs to.
    virtual ShardLoop& loop() const noexcept = 0;

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
    bool writes_at_once() const noexcept { return true; }
    void defer(MemoryEndpoint& endpoint) { deferred_.push_back(&endpoint); }

    /// An endpoint has moved or goes; null for the latter.
    void replace(MemoryEndpoint* from, MemoryEndpoint* to) { std::replace(deferred_.begin(), deferred_.end(), from, to); }

    /// The endpoint of a wire while a connection of this driver owns it, else null. What a test or simulation calls `deliver`
    /// and `make_progress` on, inside a turn.
    MemoryEndpoint* find(MemoryWire const& wire) const {
        return wire.endpoint && &wire.endpoint->loop() == loop_ ? wire.endpoint : nullptr;
    }

   private:
    ShardLoop* loop_;
    std::vector<MemoryEndpoint*> deferred_;
};

}  // namespace hubbub::inline v0
