#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <websocketpp/common/asio.hpp>

#include <hubbub/transport/websocketpp/adopted_link.hpp>

namespace hubbub::inline v0::detail {

/// What a shard has for the connections of one endpoint: it leaves once a turn, as one post.
///
/// Threading: `run` on the endpoint's threads, one at a time; all else on the shard's. Lifetime: shared with what is posted.
template <class Con>
class AdoptedOutbox : public std::enable_shared_from_this<AdoptedOutbox<Con>> {
   public:
    using Link = AdoptedLink<Con>;
    using MessagePtr = typename Link::MessagePtr;

    /// `is_here`: the endpoint runs on the shard's own thread.
    AdoptedOutbox(typename Link::Executor const& executor, bool is_here) : executor_(executor), is_here_(is_here) {}

    bool is_here() const noexcept { return is_here_; }
    void put(std::shared_ptr<Link> link, AdoptedTask task, MessagePtr message = nullptr) {
        filling_.push_back({std::move(link), std::move(message), task});
    }
    void commit();

   private:
    struct Item {
        std::shared_ptr<Link> link;
        MessagePtr message;
        AdoptedTask task;
    };

    void post() {
        websocketpp::lib::asio::post(executor_, [self = this->shared_from_this()] { self->run(); });
    }
    void run();

    typename Link::Executor executor_;
    bool const is_here_;
    std::vector<Item> filling_;
    std::mutex mutex_;
    std::vector<Item> posted_;
    bool is_running_ = false;  ///< so that batches keep their order where several threads run the endpoint
    std::vector<Item> running_;
};

template <class Con>
void AdoptedOutbox<Con>::commit() {
    if (is_here_) {
        // To send runs no handler of the program's. All else may, and has to wait for its own turn.
        std::size_t kept = 0;
        for (Item& item : filling_) {
            if (item.task == AdoptedTask::send)
                item.link->perform(item.task, std::move(item.message));
            else if (&item != &filling_[kept++])
                filling_[kept - 1] = std::move(item);
        }
        filling_.erase(filling_.begin() + static_cast<std::ptrdiff_t>(kept), filling_.end());
    }
    // Where all connections are gone, the endpoint may be, too: a hub goes when its loop ends, which may be behind it.
    if (std::all_of(filling_.begin(), filling_.end(), [](Item const& item) { return item.link->is_gone(); }))
        return filling_.clear();
    {
        std::lock_guard lock(mutex_);
        if (posted_.empty())
            posted_.swap(filling_);
        else
            std::move(filling_.begin(), filling_.end(), std::back_inserter(posted_));
        if (std::exchange(is_running_, true)) return filling_.clear();
    }
    filling_.clear();
    post();
}

template <class Con>
void AdoptedOutbox<Con>::run() {
    {
        std::lock_guard lock(mutex_);
        running_.swap(posted_);
    }
    for (Item& item : running_) item.link->perform(item.task, std::move(item.message));
    running_.clear();
    {
        std::lock_guard lock(mutex_);
        is_running_ = !posted_.empty();
        if (!is_running_) return;
    }
    post();
}

}  // namespace hubbub::inline v0::detail
