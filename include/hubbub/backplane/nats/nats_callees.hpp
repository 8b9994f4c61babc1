#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <nats/nats.h>

#include <hubbub/backplane/nats/nats_inbox.hpp>

namespace hubbub::inline v0::detail {

/// Who is called by threads of nats.c.
struct NatsCallee {
    virtual void on_nats_message(std::uint64_t connection, std::unique_ptr<natsMsg, NatsMessageDeleter> message) = 0;
    virtual void on_nats_closed(std::uint64_t connection) = 0;

   protected:
    ~NatsCallee() = default;
};

/// Whom a callback of nats.c means. It may be called still after its connection has been destroyed; so it is given the number of the
/// connection and no address. The same number never means another.
///
/// Threading: any. Cost: a lock and a look-up for each message.
class NatsCallees {
   public:
    static std::uint64_t add(std::weak_ptr<NatsCallee> callee) {
        Table& it = table();
        std::lock_guard lock(it.mutex);
        it.callees.emplace(++it.last, std::move(callee));
        return it.last;
    }
    static void remove(std::uint64_t connection) {
        Table& it = table();
        std::lock_guard lock(it.mutex);
        it.callees.erase(static_cast<std::uintptr_t>(connection));
    }

    static void* closure_of(std::uint64_t connection) {
        return reinterpret_cast<void*>(static_cast<std::uintptr_t>(connection));  // NOLINT(performance-no-int-to-ptr): a number
    }
    static void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
        std::unique_ptr<natsMsg, NatsMessageDeleter> owner(message);
        if (auto const callee = find(closure); callee && message) callee->on_nats_message(number_of(closure), std::move(owner));
    }
    static void on_closed(natsConnection*, void* closure) {
        if (auto const callee = find(closure)) callee->on_nats_closed(number_of(closure));
    }
    /// Errors end a connection, which tells it, or are answers to what was done. Without a handler nats.c writes them to stderr.
    static void on_error(natsConnection*, natsSubscription*, natsStatus, void*) {}

   private:
    struct Table {
        std::mutex mutex;
        std::unordered_map<std::uintptr_t, std::weak_ptr<NatsCallee>> callees;
        std::uintptr_t last = 0;
    };
    /// Never destroyed, because the threads of nats.c end with the process.
    static Table& table() {
        static auto* const it = new Table;
        return *it;
    }
    static std::uint64_t number_of(void* closure) { return reinterpret_cast<std::uintptr_t>(closure); }
    static std::shared_ptr<NatsCallee> find(void* closure) {
        Table& it = table();
        std::lock_guard lock(it.mutex);
        auto const found = it.callees.find(reinterpret_cast<std::uintptr_t>(closure));
        return found == it.callees.end() ? nullptr : found->second.lock();
    }
};

}  // namespace hubbub::inline v0::detail
