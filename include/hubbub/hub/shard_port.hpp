#pragma once

#include <atomic>
#include <mutex>
#include <utility>

#include <hubbub/core/shard_loop.hpp>
#include <hubbub/hub/mailbox.hpp>

namespace hubbub::inline v0 {

/// What other shards and threads reach of a shard: its mailbox, and a way to wake it.
///
/// Threading: any thread, except where it says otherwise. Lifetime: the hub's shared state.
class ShardPort {
   public:
    ShardPort(ShardLoop& loop, MailboxLimits const& limits) : loop_(&loop), mailbox_(limits) {}

    Mailbox& mailbox() noexcept { return mailbox_; }
    /// The shard's loop, as long as the shard lives: for calls on its own thread, and for `runs_here`.
    bool runs_here() {
        std::lock_guard lock(mutex_);
        return loop_ && loop_->runs_here();
    }

    TimePoint now() {
        std::lock_guard lock(mutex_);
        return loop_ ? loop_->now() : TimePoint{};
    }

    /// There is mail. A shard that is awake looks for itself before it falls asleep.
    void notify() {
        if (awake_.load(std::memory_order_seq_cst)) return;
        std::lock_guard lock(mutex_);
        if (loop_) loop_->request_turn();
    }
    /// There is room again in a mailbox where it wanted to put something, or another shard has got rid of its mail.
    void notify_of_room() {
        is_told_of_room_.store(true, std::memory_order_seq_cst);
        notify();
    }
    /// Runs `function` in a turn of the loop. False, and it is destroyed here: the shard has ended.
    bool post(UniqueFunction<void()> function) {
        std::lock_guard lock(mutex_);
        if (!loop_) return false;
        loop_->post(std::move(function));
        return true;
    }
    bool has_ended() {
        std::lock_guard lock(mutex_);
        return !loop_;
    }

    // ---- the shard, on its own thread

    void wake_up() noexcept { awake_.store(true, std::memory_order_seq_cst); }
    /// It is going to look whether there is room.
    void look_for_room() noexcept { is_told_of_room_.store(false, std::memory_order_seq_cst); }
    /// True: something came meanwhile, and another turn is needed.
    bool fall_asleep() noexcept {
        awake_.store(false, std::memory_order_seq_cst);
        return mailbox_.has_mail() || (is_told_of_room_.load(std::memory_order_seq_cst) && is_told_of_room_.exchange(false));
    }
    /// The loop may go from here on.
    void end() {
        std::lock_guard lock(mutex_);
        loop_ = nullptr;
    }

   private:
    std::mutex mutex_;
    ShardLoop* loop_;
    std::atomic<bool> awake_{false};
    std::atomic<bool> is_told_of_room_{false};
    Mailbox mailbox_;
};

}  // namespace hubbub::inline v0
