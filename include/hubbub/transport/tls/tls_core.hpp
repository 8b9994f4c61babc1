#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include <hubbub/transport/tls/ticket_keys.hpp>
#include <hubbub/transport/tls/tls_counts.hpp>
#include <hubbub/transport/tls/tls_setup.hpp>

namespace hubbub::inline v0::detail {

/// What a TlsContext shares with its connections.
///
/// Threading: any. Errors: as TlsSetup; what was there before then stays.
class TlsCore {
   public:
    explicit TlsCore(TlsOptions const& options) { set(options); }

    void set(TlsOptions const& options) {
        auto fresh = std::make_shared<TlsSetup const>(options, keys_);
        keys_->set_lifetime(options.resumption);
        std::lock_guard const lock(mutex_);
        setup_ = std::move(fresh);
    }
    /// For one more connection.
    std::shared_ptr<TlsSetup const> setup() const {
        std::lock_guard const lock(mutex_);
        return setup_;
    }
    TicketKeys& keys() noexcept { return *keys_; }

    struct Counters {
        std::atomic<std::uint64_t> handshakes{0}, resumed{0}, failed{0}, not_tls{0}, abandoned{0}, reloads{0}, keys_taken{0};
    };
    Counters counters;

    TlsCounts counts() const noexcept {
        auto const read = [](auto const& counter) { return counter.load(std::memory_order_relaxed); };
        return {read(counters.handshakes), read(counters.resumed), read(counters.failed),    read(counters.not_tls),
                read(counters.abandoned),  read(counters.reloads), read(counters.keys_taken)};
    }
    static void count(std::atomic<std::uint64_t>& counter) noexcept { counter.fetch_add(1, std::memory_order_relaxed); }

   private:
    std::shared_ptr<TicketKeys> keys_ = std::make_shared<TicketKeys>();
    mutable std::mutex mutex_;
    std::shared_ptr<TlsSetup const> setup_;  // guarded by the mutex
};

}  // namespace hubbub::inline v0::detail
