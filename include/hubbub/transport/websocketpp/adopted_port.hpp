#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <hubbub/core/shard_loop.hpp>

namespace hubbub::inline v0::detail {

class AdoptedPort;

/// An adopted connection that has something for its shard.
struct AdoptedSender {
    /// In a turn of the shard whose port that is.
    virtual void deliver(AdoptedPort const& port) = 0;

   protected:
    ~AdoptedSender() = default;
};

/// Where the threads of endpoints leave word for a shard, which looks at all of it in one turn.
///
/// Threading: any thread, except where it says otherwise. Lifetime: shared by the driver and its connections.
class AdoptedPort : public std::enable_shared_from_this<AdoptedPort> {
   public:
    explicit AdoptedPort(ShardLoop& loop) : loop_(&loop) {}

    /// Looks at `sender` in a turn of the loop.
    void call(std::shared_ptr<AdoptedSender> sender) {
        std::lock_guard lock(mutex_);
        if (!loop_) return;
        senders_.push_back(std::move(sender));
        post();
    }
    /// The same, but the turn may be later. True: somebody has to call `post_late` soon, for all that came until then.
    bool call_late(std::shared_ptr<AdoptedSender> sender) {
        std::lock_guard lock(mutex_);
        if (!loop_) return false;
        senders_.push_back(std::move(sender));
        return !is_posted_ && !std::exchange(is_late_, true);
    }
    void post_late() {
        std::lock_guard lock(mutex_);
        is_late_ = false;
        if (loop_ && !senders_.empty()) post();
    }
    /// The shard has ended, on its thread.
    void end() {
        std::vector<std::shared_ptr<AdoptedSender>> dropped;
        std::lock_guard lock(mutex_);
        loop_ = nullptr;
        dropped.swap(senders_);
    }

   private:
    void post() {
        if (!std::exchange(is_posted_, true)) loop_->post([self = shared_from_this()] { self->deliver(); });
    }
    void deliver() {
        {
            std::lock_guard lock(mutex_);
            is_posted_ = false;
            running_.swap(senders_);
        }
        for (auto const& sender : running_) sender->deliver(*this);
        running_.clear();
    }

    std::mutex mutex_;
    ShardLoop* loop_;
    bool is_posted_ = false, is_late_ = false;
    std::vector<std::shared_ptr<AdoptedSender>> senders_;
    std::vector<std::shared_ptr<AdoptedSender>> running_;  ///< on the loop's thread
};

}  // namespace hubbub::inline v0::detail
