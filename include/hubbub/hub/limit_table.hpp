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

class LimitTable;

/// Counts what is held by one key, striped over several locks.
template <class Key>
class HeldByKey {
   public:
    struct Entry {
        LimitTable* table = nullptr;
        Key const* key = nullptr;  ///< null: of the whole table
        std::uint32_t held = 0;
    };

    /// One more for `key`; null if there are `most` already.
    Entry* take(LimitTable& table, Key const& key, std::uint32_t most) {
        Stripe& stripe = stripe_of(key);
        std::lock_guard lock(stripe.mutex);
        auto const [found, fresh] = stripe.entries.try_emplace(key);
        if (found->second.held >= most) return nullptr;
        if (fresh) {
            found->second.table = &table;
            found->second.key = &found->first;
        }
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

/// Counts the connections of a hub, in all, by address and by user, handshakes included. How many there may be, 0 for any number, is
/// said each time, by the LimitsPolicy.
///
/// Threading: any thread. Touched at accept, authentication and close only.
/// Lifetime: outlives its leases.
/// Cost: of `take` and of a lease's end, one lock of sixteen and one look-up, where a limit is set.
class LimitTable {
   public:
    LimitTable() { anybody_.table = this; }
    LimitTable(LimitTable const&) = delete;
    LimitTable& operator=(LimitTable const&) = delete;

    enum class Refused : std::uint8_t { none, in_all, address, user };

    /// What one holds, in one pointer; gives it back when it is destroyed, wherever that is.
    template <class Key>
    class LeaseOf {
       public:
        using Entry = typename HeldByKey<Key>::Entry;
        LeaseOf() = default;
        LeaseOf(LeaseOf&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
        LeaseOf& operator=(LeaseOf&& other) noexcept {
            if (this != &other) {
                give_back();
                entry_ = std::exchange(other.entry_, nullptr);
            }
            return *this;
        }
        ~LeaseOf() { give_back(); }

       private:
        friend class LimitTable;
        void give_back() {
            if (Entry* const entry = std::exchange(entry_, nullptr)) entry->table->give_back(entry);
        }
        Entry* entry_ = nullptr;
    };
    using Lease = LeaseOf<PeerAddress>;      ///< of a connection
    using UserLease = LeaseOf<std::string>;  ///< of a connection whose user is known

    Refused take(PeerAddress const& address, std::uint32_t most_in_all, std::uint32_t most_of_address, Lease& lease) {
        if (in_all_.fetch_add(1, std::memory_order_relaxed) >= most_in_all && most_in_all) {
            in_all_.fetch_sub(1, std::memory_order_relaxed);
            return Refused::in_all;
        }
        Lease fresh;
        fresh.entry_ =
            counts(address, most_of_address) ? addresses_.take(*this, address.network(), most_of_address) : &anybody_;
        if (!fresh.entry_) {
            in_all_.fetch_sub(1, std::memory_order_relaxed);
            return Refused::address;
        }
        lease = std::move(fresh);
        return Refused::none;
    }
    /// The same for a connection that has its place among all and is of nobody so far: a proxy has said whose it is.
    Refused settle(PeerAddress const& address, std::uint32_t most_of_address, Lease& lease) {
        if (!lease.entry_ || lease.entry_ != &anybody_ || !counts(address, most_of_address)) return Refused::none;
        auto* const entry = addresses_.take(*this, address.network(), most_of_address);
        if (!entry) return Refused::address;
        lease.entry_ = entry;
        return Refused::none;
    }
    Refused take(std::string const& user, std::uint32_t most_of_user, UserLease& lease) {
        if (user.empty() || !most_of_user) return Refused::none;
        UserLease fresh;
        fresh.entry_ = users_.take(*this, user, most_of_user);
        if (!fresh.entry_) return Refused::user;
        lease = std::move(fresh);
        return Refused::none;
    }

    std::uint32_t in_all() const noexcept { return in_all_.load(std::memory_order_relaxed); }
    /// Addresses and users that hold something; for tests and debugging.
    std::size_t keys() { return addresses_.keys() + users_.keys(); }

   private:
    static bool counts(PeerAddress const& address, std::uint32_t most) noexcept {
        return most && (address.family == PeerAddress::Family::ipv4 || address.family == PeerAddress::Family::ipv6);
    }
    void give_back(HeldByKey<PeerAddress>::Entry* entry) {
        in_all_.fetch_sub(1, std::memory_order_relaxed);
        if (entry->key) addresses_.give_back(entry);
    }
    void give_back(HeldByKey<std::string>::Entry* entry) { users_.give_back(entry); }

    std::atomic<std::uint32_t> in_all_{0};
    HeldByKey<PeerAddress>::Entry anybody_;  ///< who is not counted by address
    HeldByKey<PeerAddress> addresses_;
    HeldByKey<std::string> users_;
};

}  // namespace hubbub::inline v0
