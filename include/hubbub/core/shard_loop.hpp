#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <hubbub/core/assert.hpp>
#include <hubbub/core/clock.hpp>
#include <hubbub/core/unique_function.hpp>

namespace hubbub::inline v0 {

/// What a loop tells the shard that lives on it.
struct TurnHook {
    /// Before the first event of a turn.
    virtual void on_turn_begin() noexcept = 0;
    /// After the last event of a turn: fan-out, flush, commit and the close phase happen here.
    virtual void on_turn_end() noexcept = 0;
    /// The time given to `wake_at` has come. Runs inside a turn.
    virtual void on_wake() noexcept = 0;

   protected:
    ~TurnHook() = default;
};

/// Ends a `ShardLoop::watch` when it is destroyed.
struct Watch {
    virtual ~Watch() = default;
};

/// The event loop of one shard. It exists so that the hub knows neither a clock nor a thread nor Asio: a simulation
/// drives `ManualLoop` with virtual time, a server drives `AsioLoop`.
///
/// A *turn* is: begin, any number of events and posted functions, end. All that happens to a shard happens in a turn.
///
/// Threading: `post`, `request_turn`, `now` and `runs_here` on any thread, everything else on the loop's own thread.
/// Lifetime: outlives the shard and the drivers on it.
class ShardLoop {
   public:
    ShardLoop() = default;
    ShardLoop(ShardLoop const&) = delete;
    ShardLoop& operator=(ShardLoop const&) = delete;
    virtual ~ShardLoop() = default;

    virtual TimePoint now() const noexcept = 0;

    /// What takes time moves this clock on. Else what callbacks take is not known.
    virtual bool is_real_time() const noexcept { return true; }

    /// True on the thread (or inside the strand) that runs this loop.
    virtual bool runs_here() const noexcept = 0;

    /// One timer: `TurnHook::on_wake` runs at `when` or soon after. A later call replaces the earlier one;
    /// `TimePoint::max()` cancels.
    virtual void wake_at(TimePoint when) = 0;

    /// Calls `ready` outside of a turn whenever `descriptor` is readable (level-triggered), until the result is destroyed, which
    /// `ready` itself may do. A report may be late and find nothing.
    virtual std::unique_ptr<Watch> watch(int descriptor, UniqueFunction<void()> ready) = 0;

    /// What a loop offers beyond this interface, by the address of a key that the offering type declares; else null.
    virtual void* extension(void const* /*key*/) noexcept { return nullptr; }

    /// Runs `function` in a turn of this loop, in the order of the posts of one thread. Never inside the caller.
    void post(UniqueFunction<void()> function) {
        {
            std::lock_guard lock(mutex_);
            posted_.push_back(std::move(function));
        }
        has_posted_.store(true, std::memory_order_release);
        request_turn();
    }

    /// Makes sure that a turn ends after this call. Inside a turn of this loop it costs nothing, else one post, which
    /// further calls share.
    void request_turn() {
        if (runs_here() && in_turn_) return;
        request_next_turn();
    }

    /// The same, but never satisfied by the turn that is running.
    void request_next_turn() {
        if (!scheduled_.exchange(true, std::memory_order_acq_rel)) schedule();
    }

    /// Runs `events` as a turn. Drivers call it with what they found ready. Not re-entrant.
    template <class Events>
    void turn(Events&& events) {
        HUBBUB_ASSERT(!in_turn_);
        in_turn_ = true;
        if (hook_) hook_->on_turn_begin();
        run_posted();
        std::forward<Events>(events)();
        if (hook_) hook_->on_turn_end();
        in_turn_ = false;
        if (has_posted_.load(std::memory_order_acquire)) request_next_turn();
    }

    bool in_turn() const noexcept { return in_turn_; }

    bool has_hook() const noexcept { return hook_ != nullptr; }

    /// The shard, or null when it goes.
    void attach(TurnHook* hook) noexcept { hook_ = hook; }

   protected:
    /// Destroys what was posted and never ran. The destructor of a model begins with it, because such a function may own the
    /// shard, which needs the whole loop to end.
    void drop_posted() noexcept {
        std::vector<UniqueFunction<void()>> dropped;
        {
            std::lock_guard lock(mutex_);
            dropped.swap(posted_);
        }
    }

    /// Arranges that `run_scheduled_turn` is called soon by the loop's thread. Any thread.
    virtual void schedule() = 0;

    void run_scheduled_turn() {
        // An exchange and no store: who finds it still set must have made visible before what this turn is to see.
        (void)scheduled_.exchange(false, std::memory_order_acq_rel);
        turn([] {});
    }
    void run_wake() {
        turn([this] {
            if (hook_) hook_->on_wake();
        });
    }

   private:
    void run_posted() {
        if (!has_posted_.load(std::memory_order_acquire)) return;
        has_posted_.store(false, std::memory_order_relaxed);
        {
            std::lock_guard lock(mutex_);
            running_.swap(posted_);
        }
        for (auto& function : running_) function();
        running_.clear();
    }

    TurnHook* hook_ = nullptr;
    bool in_turn_ = false;
    std::vector<UniqueFunction<void()>> running_;
    std::atomic<bool> scheduled_{false};
    std::atomic<bool> has_posted_{false};
    std::mutex mutex_;
    std::vector<UniqueFunction<void()>> posted_;
};

}  // namespace hubbub::inline v0
