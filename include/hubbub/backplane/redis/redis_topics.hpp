#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hubbub/core/clock.hpp>

namespace hubbub::inline v0::detail {

/// The topics that are wanted here, and what the broker was told of them. What changes within a turn goes out at its end, so that
/// who leaves and comes back costs nothing.
class RedisTopics {
   public:
    struct Topic {
        bool wanted = false;
        bool asked = false;   ///< for a subscription that the broker was not told of yet
        bool told = false;    ///< the broker was told that it is wanted
        bool listed = false;  ///< in `changed_`
        std::uint32_t unconfirmed = 0;
        std::chrono::milliseconds lives{0};  ///< so long what is kept of it lives unless it is touched; 0: nothing is kept
        TimePoint touch_at{};
    };

    void subscribe(std::string_view name) {
        auto& entry = find_or_make(name);
        entry.second.wanted = entry.second.asked = true;
        list(entry);
    }
    void unsubscribe(std::string_view name) {
        auto const found = topics_.find(name);
        if (found == topics_.end()) return;
        found->second.wanted = found->second.asked = false;
        found->second.lives = {};
        list(*found);
    }
    Topic* find(std::string_view name) {
        auto const found = topics_.find(name);
        return found == topics_.end() || !found->second.wanted ? nullptr : &found->second;
    }

    /// Calls `subscribe(std::string const&)` and `unsubscribe(…)` with what the broker has to be told.
    template <class Subscribe, class Unsubscribe>
    void take_changes(Subscribe&& subscribe, Unsubscribe&& unsubscribe) {
        for (Entry* const entry : changed_) {
            auto& [name, topic] = *entry;
            topic.listed = false;
            if (std::exchange(topic.asked, false)) {
                topic.told = true;
                ++topic.unconfirmed;
                subscribe(name);
            } else if (!topic.wanted && std::exchange(topic.told, false)) {
                unsubscribe(name);
            }
            if (!topic.wanted && topic.unconfirmed == 0) topics_.erase(topics_.find(name));
        }
        changed_.clear();
    }

    /// The broker has confirmed one subscription. True if it is the last that was asked for, and is wanted.
    bool confirm(std::string_view name) {
        auto const found = topics_.find(name);
        if (found == topics_.end() || found->second.unconfirmed == 0) return false;
        --found->second.unconfirmed;
        if (found->second.unconfirmed != 0) return false;
        if (found->second.wanted) return !found->second.asked;
        if (!found->second.listed) topics_.erase(found);
        return false;
    }

    /// The broker knows of nothing any more: each that is wanted is asked for again.
    void forget_told() {
        changed_.clear();
        for (auto it = topics_.begin(); it != topics_.end();) {
            Topic& topic = it->second;
            if (!topic.wanted) {
                it = topics_.erase(it);
                continue;
            }
            topic.told = topic.listed = false;
            topic.asked = true;
            topic.unconfirmed = 0;
            list(*it++);
        }
    }

    /// Calls `touch(std::string const& name, Topic&)` for each that is kept and has not been touched for long.
    template <class Touch>
    void touch_old(TimePoint now, Touch&& touch) {
        for (auto& [name, topic] : topics_) {
            if (topic.lives.count() == 0 || topic.touch_at > now) continue;
            topic.touch_at = now + topic.lives / 4;
            touch(name, topic);
        }
    }

   private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view name) const noexcept { return std::hash<std::string_view>()(name); }
    };
    using Map = std::unordered_map<std::string, Topic, Hash, std::equal_to<>>;
    using Entry = Map::value_type;

    Entry& find_or_make(std::string_view name) {
        auto const found = topics_.find(name);
        return found != topics_.end() ? *found : *topics_.try_emplace(std::string(name)).first;
    }
    void list(Entry& entry) {
        if (!std::exchange(entry.second.listed, true)) changed_.push_back(&entry);
    }

    Map topics_;
    std::vector<Entry*> changed_;  // the map's nodes stay where they are
};

}  // namespace hubbub::inline v0::detail
