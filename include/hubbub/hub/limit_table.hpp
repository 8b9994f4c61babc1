#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include <hubbub/core/peer_address.hpp>

namespace hubbub::inline v0 {

/// How many connections there may be at once; 0 is no limit.
struct ConnectionLimits {
    std::uint32_t in_all = 100'000;
    std::uint32_t per_address = 256;
    std::uint32_t per_user = 64;
};

/// Counts what is held by one key, striped over several locks.
template <class Key>
class HeldByKey {
   public:
    struct Entry {
        std::uint32_t held = 0;
        Key const* key = nullptr;
    };

    /// One more for `key`; null if there are `most` already.
    Entry* take(Key const& key, std::uint32_t most) {
        Stripe& stripe = stripe_of(key);
        std::lock_guard lock(stripe.mutex);
        auto const [found, fresh] = stripe.entries.try_emplace(key);
        if (found->second.held >= most) return nullptr;
        if (fresh) found->second.key = &found->first;
        ++found->second.held;
        return &found->second;
    }
    void give_back(Entry* entry) {
        Stripe& stripe = stripe_of(*entry->key);
        std::lock_guard lock(stripe.mutex);
        if (--entry->held == 0) stripe.entries.erase(stripe.entries.find(*entry->key));
    }
    std::size_t keys() {
        std::size_t sum = 0;
        for (Stripe& stripe : stripes_) {
            std::lock_guard lock(stripe.mutex);
            sum += stripe.entries.size();
        }
        return sum;
    }

   private:
    struct Stripe {
        std::mutex mutex;
        std::unordered_map<Key, Entry> entries;
    };
    Stripe& stripe_of(Key const& key) { return stripes_[std::hash<Key>{}(key) % stripes_.size()]; }

    std::array<Stripe, 16> stripes_;
};

/// The connections of a hub, in all, by address and by user, handshakes included.
///
/// Threading: any thread. Touched at accept, authentication and close only.
class LimitTable {
   public:
    explicit LimitTable(ConnectionLimits const& limits) : limits_(limits) {}
    LimitTable(LimitTable const&) = delete;

    enum class Refused : std::uint8_t { none, in_all, address, user };

    /// What one connection holds; gives it back when it is destroyed, wherever that is.
    class Lease {
       public:
        Lease() = default;
        Lease(Lease&& other) noexcept
            : table_(std::exchange(other.table_, nullptr)), address_(other.address_), user_(other.user_) {}
        Lease& operator=(Lease&& other) noexcept {
            if (this != &other) {
                give_back();
                table_ = std::exchange(other.table_, nullptr);
                address_ = other.address_;
                user_ = other.user_;
            }
            return *this;
        }
        ~Lease() { give_back(); }

        /// The connection belongs to `user` now.
        Refused claim(std::string const& user) {
            if (!table_ || user.empty() || !table_->limits_.per_user) return Refused::none;
            user_ = table_->users_.take(user, table_->limits_.per_user);
            return user_ ? Refused::none : Refused::user;
        }

       private:
        friend class LimitTable;
        void give_back() {
            LimitTable* const table = std::exchange(table_, nullptr);
            if (!table) return;
            table->in_all_.fetch_sub(1, std::memory_order_relaxed);
            if (address_) table->addresses_.give_back(address_);
            if (user_) table->users_.give_back(user_);
        }
        LimitTable* table_ = nullptr;
        HeldByKey<PeerAddress>::Entry* address_ = nullptr;
        HeldByKey<std::string>::Entry* user_ = nullptr;
    };

    Refused take(PeerAddress const& address, Lease& lease) {
        if (in_all_.fetch_add(1, std::memory_order_relaxed) >= limits_.in_all && limits_.in_all) {
            in_all_.fetch_sub(1, std::memory_order_relaxed);
            return Refused::in_all;
        }
        Lease fresh;
        fresh.table_ = this;
        if (limits_.per_address && address.family != PeerAddress::Family::none &&
            address.family != PeerAddress::Family::unix_socket) {
            fresh.address_ = addresses_.take(address.network(), limits_.per_address);
            if (!fresh.address_) return Refused::address;
        }
        lease = std::move(fresh);
        return Refused::none;
    }
    std::uint32_t in_all() const noexcept { return in_all_.load(std::memory_order_relaxed); }
    /// Addresses and users that hold something; for tests and debugging.
    std::size_t keys() { return addresses_.keys() + users_.keys(); }

   private:
    ConnectionLimits limits_;
    std::atomic<std::uint32_t> in_all_{0};
    HeldByKey<PeerAddress> addresses_;
    HeldByKey<std::string> users_;
};

}  // namespace hubbub::inline v0
