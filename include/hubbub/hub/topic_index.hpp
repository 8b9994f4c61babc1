#pragma once

#include <cstdint>
#include <deque>
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
/// Threading: its shard's. Cost: one seeded hash and one look-up by name, one index by number.
class TopicIndex {
   public:
    explicit TopicIndex(SipHash hash) : names_(16, hash) {}

    std::optional<std::uint32_t> find(std::string_view name) const {
        auto const found = names_.find(name);
        if (found == names_.end()) return std::nullopt;
        return found->second;
    }
    std::uint32_t intern(std::string_view name) {
        if (auto const known = find(name)) return *known;
        std::uint32_t number;
        if (free_.empty()) {
            number = static_cast<std::uint32_t>(topics_.size());
            topics_.emplace_back();
        } else {
            number = free_.back();
            free_.pop_back();
        }
        Topic& topic = topics_[number];
        topic.name = name;
        names_.emplace(std::string_view(topic.name), number);
        return number;
    }
    /// Forgets a topic that nobody needs.
    void erase(std::uint32_t number) {
        Topic& topic = topics_[number];
        HUBBUB_ASSERT(topic.members.empty() && topic.run.empty());
        names_.erase(std::string_view(topic.name));
        topic = Topic{};
        free_.push_back(number);
    }
    Topic& operator[](std::uint32_t number) noexcept { return topics_[number]; }
    std::size_t size() const noexcept { return names_.size(); }

   private:
    std::deque<Topic> topics_;  // a topic's name may not move: the index refers to it
    std::vector<std::uint32_t> free_;
    std::unordered_map<std::string_view, std::uint32_t, SipHash> names_;
};

}  // namespace hubbub::inline v0
