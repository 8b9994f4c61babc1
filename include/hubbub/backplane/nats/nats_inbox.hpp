#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nats/nats.h>

#include <hubbub/core/shard_loop.hpp>

namespace hubbub::inline v0::detail {

struct NatsMessageDeleter {
    void operator()(natsMsg* message) const noexcept { natsMsg_Destroy(message); }
};

/// What a thread of nats.c or the worker has for the loop.
struct NatsArrival {
    enum class Kind : std::uint8_t { connected, unreachable, lost, message };
    Kind kind;
    std::uint64_t connection;                                ///< the number of it
    std::unique_ptr<natsMsg, NatsMessageDeleter> message{};  ///< kind message
    std::string text{};                                      ///< why; connected: the id of the server
    std::uint64_t most = 0;                                  ///< connected: bytes that a message may have

    std::string_view subject() const { return natsMsg_GetSubject(message.get()); }
    std::string_view reply() const {
        char const* const text_of = natsMsg_GetReply(message.get());
        return text_of ? text_of : std::string_view();
    }
    std::string_view body() const {
        int const size = natsMsg_GetDataLength(message.get());
        return size > 0 ? std::string_view(natsMsg_GetData(message.get()), static_cast<std::size_t>(size)) : std::string_view();
    }
    std::string_view header(char const* name) const {
        char const* value = nullptr;
        return natsMsgHeader_Get(message.get(), name, &value) == NATS_OK && value ? value : std::string_view();
    }
};

/// Whom the loop wakes.
struct NatsReceiver {
    virtual void on_arrivals() = 0;

   protected:
    ~NatsReceiver() = default;
};

/// What has come from other threads and waits for the loop, which is woken once for many.
///
/// Threading: `put` on any thread, the rest on the loop. Lifetime: shared; `close` makes it forget the loop and the receiver.
/// Cost: a lock; what is beyond the bytes that may wait is dropped, and told by `take`.
class NatsInbox : public std::enable_shared_from_this<NatsInbox> {
   public:
    NatsInbox(ShardLoop& loop, NatsReceiver& receiver, std::size_t most) : loop_(&loop), receiver_(&receiver), most_(most) {}

    void put(NatsArrival arrival, bool may_drop) {
        std::size_t const size = arrival.message ? arrival.body().size() + 256 : 0;
        std::lock_guard lock(mutex_);
        if (!loop_) return;
        if (may_drop && waiting_ + size > most_) {
            dropped_ = true;
        } else {
            waiting_ += size;
            arrivals_.push_back(std::move(arrival));
        }
        if (!std::exchange(woken_, true)) loop_->post([self = shared_from_this()] { self->wake(); });
    }

    /// All that has come; `dropped` if something was too much.
    std::vector<NatsArrival> take(bool& dropped) {
        std::lock_guard lock(mutex_);
        waiting_ = 0;
        woken_ = false;
        dropped = std::exchange(dropped_, false);
        return std::exchange(arrivals_, {});
    }

    void close() {
        receiver_ = nullptr;
        std::vector<NatsArrival> rest;
        std::lock_guard lock(mutex_);
        loop_ = nullptr;
        rest.swap(arrivals_);
    }

   private:
    void wake() {
        if (receiver_) receiver_->on_arrivals();
    }

    std::mutex mutex_;
    ShardLoop* loop_;         // null: closed
    NatsReceiver* receiver_;  // of the loop alone
    std::size_t const most_;
    std::size_t waiting_ = 0;
    bool woken_ = false, dropped_ = false;
    std::vector<NatsArrival> arrivals_;
};

}  // namespace hubbub::inline v0::detail
