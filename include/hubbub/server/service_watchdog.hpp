#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <hubbub/core/shard_loop.hpp>
#include <hubbub/server/service_notifier.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>

namespace hubbub::inline v0 {

/// Tells a service manager that this process is alive, for as long as all of its loops are: each half of the watchdog's time it asks
/// every loop, and the last one to answer tells it. So one loop that hangs lets the watchdog bark.
///
/// Threading: made and destroyed on the thread of `clock`, or where no loop runs. Lifetime: the loops outlive it.
/// Example: `hubbub::ServiceWatchdog const watchdog{notifier, loop, loops};`
class ServiceWatchdog {
   public:
    /// Asks whenever `clock`, which is one of the loops, finds the time for it. Does nothing where the manager has no watchdog.
    ServiceWatchdog(ServiceNotifier notifier, AsioLoop& clock, std::span<ShardLoop* const> loops)
        : clock_(clock), timer_(clock.executor()), round_(std::make_shared<Round>()), loops_(loops.begin(), loops.end()) {
        round_->notifier = std::move(notifier);
        round_->watchdog = this;
        if (round_->notifier.watchdog().count() > 0) ask();
    }
    ServiceWatchdog(ServiceWatchdog const&) = delete;
    ServiceWatchdog& operator=(ServiceWatchdog const&) = delete;
    ~ServiceWatchdog() { round_->watchdog = nullptr; }

   private:
    struct Round {
        ServiceNotifier notifier;
        std::atomic<std::size_t> unanswered{0};
        ServiceWatchdog* watchdog = nullptr;  // null once it has gone; the clock's thread alone looks at it
    };

    void ask() {
        // Who has not answered yet is not asked again: what waits for a loop that hangs stays bounded.
        if (round_->unanswered.load(std::memory_order_acquire) == 0) {
            round_->unanswered.store(loops_.size(), std::memory_order_release);
            for (ShardLoop* const loop : loops_)
                loop->post([round = round_] {
                    if (round->unanswered.fetch_sub(1, std::memory_order_acq_rel) == 1) (void)round->notifier.alive();
                });
        }
        timer_.expires_after(round_->notifier.watchdog() / 2);
        clock_.wait_in_loop(timer_, AsioLoop::WaitHandler{[round = round_](std::error_code error) {
                                if (!error && round->watchdog) round->watchdog->ask();
                            }});
    }

    AsioLoop& clock_;
    AsioLoop::Timer timer_;
    std::shared_ptr<Round> round_;
    std::vector<ShardLoop*> loops_;
};

}  // namespace hubbub::inline v0
