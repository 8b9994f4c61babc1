#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include <hubbub/core/clock.hpp>
#include <hubbub/policy/topics.hpp>
#include <hubbub/ws/frame.hpp>

namespace hubbub::inline v0 {

/// The newest publications of a topic in its order, within limits, and the ids that were published of late.
///
/// Times are ticks of the loop's clock, and each call is given the present one: what is too old is never seen, although it may be
/// kept for a while.
///
/// Threading: the shard of the topic's owner. Cost: `add` is constant, over the growth of its memory; to find an offset is
/// logarithmic.
class History {
   public:
    struct Entry {
        std::optional<Frame> frame;  ///< as it was published; nothing: another with its key has replaced it
        std::optional<Frame> sent;   ///< what subscribers were sent, where that is something else
        std::uint64_t offset;
        std::uint64_t key;        ///< hash of its key, 0 for none
        std::int64_t expires_at;  ///< 0: never
        std::int64_t at;          ///< when it was published
    };

    explicit History(HistoryLimits const& limits, std::uint32_t its_place = 0) : place(its_place), limits_(limits) {}

    std::uint32_t place;  ///< in a list of whoever keeps it

    /// The offset of the publication that had that id.
    std::optional<std::uint64_t> find_id(std::uint64_t id, std::int64_t now) {
        forget_ids(now);
        auto const found = offset_of_id_.find(id);
        if (found == offset_of_id_.end()) return std::nullopt;
        return found->second;
    }
    /// Behind all others. `id` is 0 for none, `at` is when it was published.
    void add(Frame frame, std::optional<Frame> sent, std::uint64_t offset, std::uint64_t key, std::int64_t expires_at,
             std::uint64_t id, std::int64_t at, std::int64_t now);
    /// Forgets everything up to that offset, and what is behind it.
    void begin_anew(std::uint64_t behind) {
        entries_.clear();
        keys_.clear();
        payload_ = sent_ = 0;
        live_ = 0;
        lost_up_to_ = behind;
    }

    /// Forgets what is too old.
    void forget_old(std::int64_t now);
    /// Forgets the oldest, until so many bytes of memory are free or nothing is left; the ids last.
    void forget_some(std::size_t bytes) {
        std::size_t const wanted = footprint() > bytes ? footprint() - bytes : 0;
        while (live_ && footprint() > wanted) lose_oldest();
        if (footprint() <= wanted) return;
        ids_.clear();
        offset_of_id_.clear();
    }

    /// Everything behind that offset is here, but for what expired or was replaced. True for what is not published yet.
    bool covers(std::uint64_t offset) const noexcept { return offset >= lost_up_to_; }
    /// What an offset has to be so that so many are behind it, or all that there are. `last` is the topic's newest.
    std::uint64_t offset_before_newest(std::uint32_t count, std::uint64_t last) const noexcept;
    /// Calls `visit(Entry const&)` for each that is behind `after`, oldest first, as long as it answers true.
    template <class Visit>
    void each_behind(std::uint64_t after, std::int64_t now, Visit&& visit) const {
        for (auto entry = first_behind(after); entry != entries_.end(); ++entry)
            if (is_there(*entry, now) && !visit(*entry)) return;
    }
    /// The same for each before `before`, newest first.
    template <class Visit>
    void each_before(std::uint64_t before, std::int64_t now, Visit&& visit) const {
        for (auto entry = before ? first_behind(before - 1) : entries_.begin(); entry != entries_.begin();) {
            --entry;
            if (is_there(*entry, now) && !visit(*entry)) return;
        }
    }

    bool empty() const noexcept { return entries_.empty() && ids_.empty(); }
    /// Nobody can come back for anything any more. The last position is one to come back with, as long as a publication would be.
    bool is_over(std::int64_t now) const noexcept { return empty() && used_at_ + ticks(limits_.age) <= now; }
    /// Somebody has been here, who may come back.
    void note_use(std::int64_t now) noexcept { used_at_ = now; }
    std::uint32_t messages() const noexcept { return live_; }
    /// Bytes of memory, more or less.
    std::size_t footprint() const noexcept {
        return payload_ + sent_ + (sent_ ? 2 : 1) * live_ * frame_overhead + entries_.size() * sizeof(Entry) +
               keys_.size() * node + ids_.size() * node * 2;
    }

   private:
    using Entries = std::deque<Entry>;
    static constexpr std::size_t frame_overhead = 64, node = 48;

    static std::int64_t ticks(std::chrono::milliseconds time) noexcept { return Duration(time).count(); }
    static bool is_there(Entry const& entry, std::int64_t now) noexcept {
        return entry.frame && (!entry.expires_at || entry.expires_at > now);
    }
    Entries::const_iterator first_behind(std::uint64_t offset) const noexcept {
        return std::upper_bound(entries_.begin(), entries_.end(), offset,
                                [](std::uint64_t of, Entry const& entry) { return of < entry.offset; });
    }
    void forget_ids(std::int64_t now) {
        while (!ids_.empty() && (ids_.size() > limits_.ids || ids_.front().second + ticks(limits_.id_age) <= now)) {
            offset_of_id_.erase(ids_.front().first);
            ids_.pop_front();
        }
    }
    void take_out(Entry& entry) noexcept {
        payload_ -= entry.frame->size();
        if (entry.sent) sent_ -= entry.sent->size();
        --live_;
        entry.frame.reset();
        entry.sent.reset();
    }
    void replace(std::uint64_t key, std::uint64_t offset);
    void lose_oldest();
    void drop_front();
    void drop_replaced_front() {
        while (!entries_.empty() && !entries_.front().frame) entries_.pop_front();
    }

    HistoryLimits limits_;
    Entries entries_;                                        ///< the first has not been replaced
    std::unordered_map<std::uint64_t, std::uint64_t> keys_;  ///< offset of the newest of each key
    std::deque<std::pair<std::uint64_t, std::int64_t>> ids_;
    std::unordered_map<std::uint64_t, std::uint64_t> offset_of_id_;
    std::uint64_t lost_up_to_ = 0;  ///< the newest that was forgotten for a limit
    std::size_t payload_ = 0, sent_ = 0;
    std::int64_t used_at_ = 0;  ///< the last publication, or when somebody left
    std::uint32_t live_ = 0;
};

inline void History::add(Frame frame, std::optional<Frame> sent, std::uint64_t offset, std::uint64_t key,
                         std::int64_t expires_at, std::uint64_t id, std::int64_t at, std::int64_t now) {
    if (id && limits_.ids) {
        offset_of_id_.emplace(id, offset);
        ids_.emplace_back(id, now);
        forget_ids(now);
    }
    if (key && limits_.newest_per_key) replace(key, offset);
    used_at_ = now;
    payload_ += frame.size();
    if (sent) sent_ += sent->size();
    ++live_;
    entries_.push_back({std::move(frame), std::move(sent), offset, key, expires_at, at});
    forget_old(now);
    while (live_ > limits_.messages || payload_ > limits_.bytes) lose_oldest();
    // What was replaced lies among what was not: seldom looked through, and then all of it goes.
    if (entries_.size() > 2 * std::size_t{live_} + 16) std::erase_if(entries_, [](Entry const& each) { return !each.frame; });
}

inline void History::replace(std::uint64_t key, std::uint64_t offset) {
    auto const [known, is_new] = keys_.try_emplace(key, offset);
    if (is_new) return;
    auto const old = first_behind(known->second - 1) - entries_.begin();
    known->second = offset;
    take_out(entries_[static_cast<std::size_t>(old)]);
    drop_replaced_front();
}

inline void History::forget_old(std::int64_t now) {
    forget_ids(now);
    std::int64_t const oldest = now - ticks(limits_.age);
    while (!entries_.empty()) {
        Entry const& first = entries_.front();
        if (first.expires_at && first.expires_at <= now)
            drop_front();  // its publisher has said so: nobody misses it
        else if (first.at <= oldest)
            lose_oldest();
        else
            return;
    }
}

inline void History::lose_oldest() {
    lost_up_to_ = entries_.front().offset;
    drop_front();
}

inline void History::drop_front() {
    Entry& first = entries_.front();
    if (auto const known = keys_.find(first.key); known != keys_.end() && known->second == first.offset) keys_.erase(known);
    take_out(first);
    drop_replaced_front();
}

inline std::uint64_t History::offset_before_newest(std::uint32_t count, std::uint64_t last) const noexcept {
    auto entry = entries_.end();
    while (entry != entries_.begin() && count)
        if ((--entry)->frame) --count;
    return entry == entries_.end() ? last : entry->offset - 1;
}

}  // namespace hubbub::inline v0
