#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <hubbub/core/assert.hpp>
#include <hubbub/core/siphash.hpp>
#include <hubbub/hub/topic.hpp>

namespace hubbub::inline v0 {

/// The topics of one shard, by name and by number. Numbers are used again when a topic has gone.
///
/// Threading: its shard's. Cost: one seeded hash and one look-up by name, one index by number; a topic that comes is two allocations
/// or three, where a number is used again one or two, and now and then, doubling, both tables are made anew.
class TopicIndex {
   public:
    explicit TopicIndex(SipHash hash) : hash_(hash) {}

    std::optional<std::uint32_t> find(std::string_view name) const {
        auto const found = names_.find(hashed(name));
        if (found == names_.end()) return std::nullopt;
        return found->second;
    }
    std::uint32_t intern(std::string_view name) {
        Name const key = hashed(name);
        if (auto const known = names_.find(key); known != names_.end()) return known->second;
        std::uint32_t number;
        if (free_.empty()) {
            number = static_cast<std::uint32_t>(topics_.size());
            topics_.push_back(std::make_unique<Topic>());
        } else {
            number = free_.back();
            free_.pop_back();
        }
        Topic& topic = *topics_[number];
        topic.name = name;
        names_.emplace(Name{topic.name, key.hash}, number);
        return number;
    }
    /// Forgets a topic that nobody needs.
    void erase(std::uint32_t number) {
        Topic& topic = *topics_[number];
        HUBBUB_ASSERT(topic.members.empty() && topic.run.empty());
        names_.erase(hashed(topic.name));
        topic = Topic{};
        free_.push_back(number);
    }
    Topic& operator[](std::uint32_t number) noexcept { return *topics_[number]; }
    std::size_t size() const noexcept { return names_.size(); }
    /// Calls `visit(Topic&)` for each.
    template <class Visit>
    void each(Visit&& visit) {
        for (auto const& topic : topics_)
            if (!topic->name.empty()) visit(*topic);
    }

   private:
    /// A name and its hash, which is computed once for each call: the map asks for those of the neighbours too.
    struct Name {
        std::string_view text;
        std::uint64_t hash;
        bool operator==(Name const& other) const noexcept { return hash == other.hash && text == other.text; }
    };
    struct HashOf {
        std::size_t operator()(Name const& name) const noexcept { return static_cast<std::size_t>(name.hash); }
    };
    Name hashed(std::string_view name) const noexcept { return {name, hash_(name)}; }

    SipHash hash_;
    std::vector<std::unique_ptr<Topic>> topics_;  // a topic's name may not move: the index refers to it
    std::vector<std::uint32_t> free_;
    std::unordered_map<Name, std::uint32_t, HashOf> names_;
};

}  // namespace hubbub::inline v0
