#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hubbub::inline v0 {

/// One membership: which topic, and where in that topic's list of members.
struct Membership {
    static constexpr std::uint32_t no_topic = ~0u;

    std::uint32_t topic = no_topic;
    std::uint32_t place = 0;
};

/// Memberships of one subscriber, each topic once, found by topic and by where they stand.
///
/// Threading: its shard's.
/// Cost: constant for each call, over the growth of its memory. A short list is walked; a longer one has a hash table beside it.
class MembershipList {
   public:
    static constexpr std::uint32_t walked = 16;  ///< so many are compared as quickly as one is looked up

    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(list_.size()); }
    Membership& operator[](std::uint32_t at) noexcept { return list_[at]; }
    Membership* begin() noexcept { return list_.data(); }
    Membership* end() noexcept { return list_.data() + list_.size(); }

    Membership* find(std::uint32_t topic) noexcept {
        if (table_.empty()) {
            for (Membership& membership : list_)
                if (membership.topic == topic) return &membership;
            return nullptr;
        }
        for (std::uint32_t i = home(topic); table_[i] != vacant; i = next(i))
            if (list_[table_[i]].topic == topic) return &list_[table_[i]];
        return nullptr;
    }
    /// Behind all others. Where there is no memory, nothing has changed.
    void add(Membership membership) {
        std::size_t const count = list_.size() + 1;
        bool const grows = count > walked && 2 * count > table_.size();
        std::vector<std::uint32_t> table;
        if (grows) table.assign(std::bit_ceil(2 * count + 1), vacant);  // at most half full
        list_.push_back(membership);
        if (grows) {
            table_.swap(table);
            for (std::uint32_t at = 0; at < size(); ++at) enter(at);
        } else if (!table_.empty()) {
            enter(size() - 1);
        }
    }
    /// Takes one out. The last moves into its place.
    void remove(std::uint32_t at) {
        std::uint32_t const last = size() - 1;
        if (!table_.empty()) {
            vacate(entry_of(at));
            if (at != last) table_[entry_of(last)] = at;
        }
        list_[at] = list_[last];
        list_.pop_back();
        if (list_.empty() && !table_.empty()) *this = {};  // who was in many topics once does not keep memory for them
    }

   private:
    static constexpr std::uint32_t vacant = ~0u;

    // Numbers of topics are given out in a row, and multiplied by the golden ratio such ones lie apart (Knuth, 6.4).
    std::uint32_t home(std::uint32_t topic) const noexcept {
        return topic * 2'654'435'769u >> std::countl_zero(static_cast<std::uint32_t>(table_.size() - 1));
    }
    std::uint32_t next(std::uint32_t i) const noexcept { return (i + 1) & static_cast<std::uint32_t>(table_.size() - 1); }
    std::uint32_t steps(std::uint32_t from, std::uint32_t to) const noexcept {
        return (to - from) & static_cast<std::uint32_t>(table_.size() - 1);
    }
    void enter(std::uint32_t at) noexcept {
        std::uint32_t i = home(list_[at].topic);
        while (table_[i] != vacant) i = next(i);
        table_[i] = at;
    }
    std::uint32_t entry_of(std::uint32_t at) const noexcept {
        std::uint32_t i = home(list_[at].topic);
        while (table_[i] != at) i = next(i);
        return i;
    }
    /// Closes the gap, so that nothing is ever searched for beyond one (Knuth, 6.4, algorithm R).
    void vacate(std::uint32_t gap) noexcept {
        for (std::uint32_t i = next(gap); table_[i] != vacant; i = next(i)) {
            if (steps(home(list_[table_[i]].topic), i) < steps(gap, i)) continue;
            table_[gap] = table_[i];
            gap = i;
        }
        table_[gap] = vacant;
    }

    std::vector<Membership> list_;
    std::vector<std::uint32_t> table_;  ///< places in the list, by hash of the topic; a power of two, or empty
};

}  // namespace hubbub::inline v0
