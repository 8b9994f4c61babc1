#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <hubbub/core/clock.hpp>
#include <hubbub/hub/topic_index.hpp>

namespace hubbub::inline v0 {

/// Who is there, in the topics that one shard owns, and where subscribers are still to be told who came and went.
///
/// Threading: its shard's. Cost: constant for each change; a look at each topic whose changes are not told yet, on each tick.
class PresenceBook {
   public:
    explicit PresenceBook(TopicIndex& topics) : topics_(&topics) {}

    /// Calls `change(Presence&)`.
    template <class Change>
    void change(std::uint32_t number, std::int64_t now, Change&& change) {
        Presence& presence = *(*topics_)[number].presence;
        bool const was_told = !presence.has_changed();
        bytes_ -= presence.footprint();
        change(presence);
        auto const told_every = presence.options().told_every;
        if (told_every.count() == 0)
            presence.forget_change();
        else if (was_told && presence.has_changed())
            changed_.emplace_back(now + Duration(told_every).count(), number);
        bytes_ += presence.footprint();
    }
    /// Calls `tell(number, Presence&)` for each topic whose time has come, to take the change.
    template <class Tell>
    void tell_due(std::int64_t now, Tell&& tell) {
        if (changed_.empty()) return;
        std::erase_if(changed_, [&](auto const& each) {
            auto const [due, number] = each;
            if (due > now) return false;
            Topic& topic = (*topics_)[number];
            if (!topic.presence || !topic.presence->has_changed()) return true;  // it has gone, and another has its number
            bytes_ -= topic.presence->footprint();
            tell(number, *topic.presence);
            bytes_ += topic.presence->footprint();
            return true;
        });
    }
    PresencePage page(std::uint32_t number, std::size_t most) {
        Presence& presence = *(*topics_)[number].presence;
        if (most > 0) presence.note_read();
        PresencePage page{{}, presence.sessions(), presence.users(), true};
        for (auto const& [key, member] : presence.members()) {
            if (page.members.size() == most) break;
            page.members.push_back(member);
        }
        return page;
    }
    /// The topic is forgotten.
    void end(std::uint32_t number) noexcept { bytes_ -= (*topics_)[number].presence->footprint(); }
    std::size_t bytes() const noexcept { return bytes_; }

   private:
    TopicIndex* topics_;
    std::vector<std::pair<std::int64_t, std::uint32_t>> changed_;  ///< when it is told, and the topic
    std::size_t bytes_ = 0;
};

}  // namespace hubbub::inline v0
