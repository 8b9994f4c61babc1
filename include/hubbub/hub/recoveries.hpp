#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>

#include <hubbub/core/ids.hpp>
#include <hubbub/core/position.hpp>
#include <hubbub/hub/subscriber.hpp>

namespace hubbub::inline v0 {

/// A session that gets what a topic remembers, before what that publishes.
struct Recovery {
    SessionId session;
    std::uint64_t serial;         ///< of the question that is open; an answer to another is not for this one
    Position reached;             ///< it has everything up to here
    bool is_told = false;         ///< where it begins
    bool is_interrupted = false;  ///< there was no room for the rest of the last answer
    bool waits = false;           ///< the next question is asked when its queue is empty
};

/// Those of one shard, by session and topic.
///
/// Threading: its shard's. Lifetime: ended before the subscriber goes. Cost: constant for each call.
class Recoveries {
   public:
    Recovery& begin(Subscriber& subscriber, std::uint32_t topic, SessionId session) {
        subscriber.recovering = true;
        auto const [place, is_new] =
            map_.insert_or_assign({&subscriber, topic}, Recovery{.session = session, .serial = ++serials_, .reached = {}});
        if (is_new) ++counts_[&subscriber];
        return place->second;
    }
    Recovery* find(Subscriber const& subscriber, std::uint32_t topic) noexcept {
        auto const found = map_.find({&subscriber, topic});
        return found == map_.end() ? nullptr : &found->second;
    }
    /// The one that asked that question, or null: it is over.
    Recovery* find(Subscriber const& subscriber, std::uint32_t topic, std::uint64_t serial) noexcept {
        Recovery* const found = find(subscriber, topic);
        return found && found->serial == serial ? found : nullptr;
    }
    /// It has everything, or wants no more. False: it was none.
    bool end(Subscriber& subscriber, std::uint32_t topic) {
        if (!subscriber.recovering || !map_.erase({&subscriber, topic})) return false;
        auto const count = counts_.find(&subscriber);
        if (--count->second == 0) {
            counts_.erase(count);
            subscriber.recovering = false;
        }
        return true;
    }
    void ask_again(Recovery& recovery) noexcept {
        recovery.serial = ++serials_;
        recovery.is_interrupted = recovery.waits = false;
    }

   private:
    struct Key {
        Subscriber const* subscriber;
        std::uint32_t topic;
        bool operator==(Key const&) const = default;
    };
    struct HashOf {
        std::size_t operator()(Key const& key) const noexcept {
            return std::hash<Subscriber const*>{}(key.subscriber) ^ key.topic * std::size_t{0x9E3779B97F4A7C15u};
        }
    };

    std::unordered_map<Key, Recovery, HashOf> map_;
    std::unordered_map<Subscriber const*, std::size_t> counts_;  ///< of each that has some
    std::uint64_t serials_ = 0;
};

}  // namespace hubbub::inline v0
