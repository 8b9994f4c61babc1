#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>

#include <hubbub/core/peer_address.hpp>
#include <hubbub/core/token_bucket.hpp>

namespace hubbub::inline v0 {

/// Buckets by key that all shards share, striped over several locks. How many keys there are is bounded: a bucket that is full
/// again is forgotten when room is needed, and who finds none shares one with all others that do not.
template <class Key, std::size_t kinds>
class SharedBuckets {
   public:
    explicit SharedBuckets(std::size_t most_keys) : most_of_stripe_(std::max<std::size_t>(1, most_keys / stripes)) {}

    /// Calls `function(TokenBucket&)` with that bucket of the key, under the stripe's lock; returns what it returns.
    template <class F>
    auto use(Key const& key, std::size_t kind, TimePoint now, F&& function) {
        Stripe& stripe = stripes_[std::hash<Key>{}(key) % stripes];
        std::lock_guard const lock(stripe.mutex);
        return function(find(stripe, key, now)[kind]);
    }
    std::size_t keys() {
        std::size_t sum = 0;
        for (Stripe& stripe : stripes_) {
            std::lock_guard const lock(stripe.mutex);
            sum += stripe.buckets.size();
        }
        return sum;
    }

   private:
    static constexpr std::size_t stripes = 16;
    using Buckets = std::array<TokenBucket, kinds>;
    struct Stripe {
        std::mutex mutex;
        std::unordered_map<Key, Buckets> buckets;
        Buckets rest;          ///< of all that find no room
        TimePoint swept_at{};  ///< a sweep is dear, and useless again at once
    };

    Buckets& find(Stripe& stripe, Key const& key, TimePoint now) {
        if (auto const found = stripe.buckets.find(key); found != stripe.buckets.end()) return found->second;
        if (stripe.buckets.size() >= most_of_stripe_ && now - stripe.swept_at >= std::chrono::seconds(1)) {
            stripe.swept_at = now;
            std::erase_if(stripe.buckets, [now](auto const& each) {
                return std::all_of(each.second.begin(), each.second.end(),
                                   [now](TokenBucket const& bucket) { return bucket.is_full(now); });
            });
        }
        return stripe.buckets.size() < most_of_stripe_ ? stripe.buckets[key] : stripe.rest;
    }

    std::size_t most_of_stripe_;
    std::array<Stripe, stripes> stripes_;
};

/// How much addresses and users have used of their rates.
///
/// Threading: any thread. Touched at accept, at a failed authentication, and for messages only where these are limited by user or
/// address: then in advance for up to 16 of them.
struct RateTable {
    enum AddressKind : std::uint8_t { connections, failures, messages_of_address, bytes_of_address };
    enum UserKind : std::uint8_t { messages_of_user, bytes_of_user };
    static constexpr std::size_t most_keys = 65'536;  ///< of each: about 6 MB if all of them are in use

    SharedBuckets<PeerAddress, 4> addresses{most_keys};
    SharedBuckets<std::string, 2> users{most_keys};
};

}  // namespace hubbub::inline v0
