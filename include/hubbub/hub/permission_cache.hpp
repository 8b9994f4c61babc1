#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/policy/authorization.hpp>

namespace hubbub::inline v0 {

/// What a session was allowed and refused lately, so that the authorization need not be asked again.
///
/// Cost: an entry a verdict, of which the oldest goes when there are too many; looking is linear.
class PermissionCache {
   public:
    using Action = AuthorizationRequest::Action;

    bool empty() const noexcept { return entries_.empty(); }
    std::optional<bool> find(Action action, std::string_view topic) const noexcept {
        for (Entry const& each : entries_)
            if (each.action == action && each.topic == topic) return each.allowed;
        return std::nullopt;
    }
    void add(Action action, std::string_view topic, bool allowed, std::size_t most) {
        for (Entry& each : entries_)
            if (each.action == action && each.topic == topic) return void(each.allowed = allowed);
        if (entries_.size() < most) return entries_.push_back({std::string(topic), action, allowed});
        entries_[oldest_] = {std::string(topic), action, allowed};
        oldest_ = (oldest_ + 1) % most;
    }
    void clear() noexcept {
        entries_.clear();
        oldest_ = 0;
    }

   private:
    struct Entry {
        std::string topic;
        Action action;
        bool allowed;
    };
    std::vector<Entry> entries_;
    std::size_t oldest_ = 0;
};

}  // namespace hubbub::inline v0
