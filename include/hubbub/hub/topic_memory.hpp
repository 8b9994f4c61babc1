#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <hubbub/hub/history_page.hpp>
#include <hubbub/hub/outbound_queue.hpp>
#include <hubbub/hub/topic_index.hpp>

namespace hubbub::inline v0 {

/// What who subscribes gets of a topic's past, or a part of it.
struct Backlog {
    Position begins;                               ///< everything behind it comes
    bool recovered = false;                        ///< that is where the subscriber had been
    std::uint64_t reached = 0;                     ///< this is all of it up to here
    std::vector<HistoryPage::Message> messages{};  ///< as they were sent
};

/// The histories of the topics that one shard owns, and the memory that they use.
///
/// Threading: its shard's. Cost: of a publication constant; of a second as much as a sixteenth of the topics have to forget.
class TopicMemory {
    Topic& topic(std::uint32_t number) noexcept { return (*topics_)[number]; }
    /// Whatever changes a history goes through here, so that its memory is counted.
    template <class F>
    auto change(std::uint32_t number, F&& function) {
        History& history = *topic(number).history;
        bytes_ -= history.footprint();
        struct Count {
            std::size_t& bytes;
            History& history;
            ~Count() { bytes += history.footprint(); }
        } const count{bytes_, history};
        return function(history);
    }

   public:
    explicit TopicMemory(TopicIndex& topics) : topics_(&topics) {}

    void begin(std::uint32_t number, HistoryLimits const& limits) {
        topic(number).history = std::make_unique<History>(limits, static_cast<std::uint32_t>(numbers_.size()));
        numbers_.push_back(number);
        bytes_ += of_topic;
    }
    /// The offset of a publication with that id, if one is known. 0 is no id.
    std::optional<std::uint64_t> find_id(std::uint32_t number, std::uint64_t id, std::int64_t now) {
        if (!id) return std::nullopt;
        return change(number, [&](History& history) { return history.find_id(id, now); });
    }
    /// The newest publication, and when it was published.
    void add(std::uint32_t number, Frame frame, std::optional<Frame> sent, std::uint64_t key, std::int64_t expires_at,
             std::uint64_t id, std::int64_t at, std::int64_t now) {
        std::uint64_t const offset = topic(number).position.offset;
        change(number,
               [&](History& history) { history.add(std::move(frame), std::move(sent), offset, key, expires_at, id, at, now); });
    }
    /// What it remembers is not what was published before its position.
    void begin_anew(std::uint32_t number) {
        change(number, [&](History& history) { history.begin_anew(topic(number).position.offset); });
    }
    /// Somebody has been there, and may come back.
    void note_use(std::uint32_t number, std::int64_t now) noexcept { topic(number).history->note_use(now); }
    /// Where a subscription begins, and whether that is where the subscriber had been.
    std::pair<Position, bool> begins(std::uint32_t number, std::optional<Position> since, std::uint32_t newest,
                                     std::int64_t now);
    /// The first part of it, if it is much.
    Backlog backlog(std::uint32_t number, std::optional<Position> since, std::uint32_t newest, QueueLimits const& limits,
                    std::int64_t now);
    HistoryPage page(std::uint32_t number, HistoryQuery const& query, std::int64_t now);

    /// Forgets what is too old in some of the topics. Calls `empty(number)` for each that nobody can come back to.
    template <class Empty>
    void sweep(std::int64_t now, Empty&& empty);
    /// Forgets the oldest of those that remember most, so that about so many bytes are free. Calls `empty(number)` for each that remembers
    /// nothing any more. Returns how many bytes are free by that.
    template <class Empty>
    std::size_t forget_some(std::size_t bytes, Empty&& empty);
    /// The topic is forgotten.
    void end(std::uint32_t number) {
        bytes_ -= topic(number).history->footprint() + of_topic;
        std::uint32_t const place = topic(number).history->place;
        topic(number).history.reset();
        if (place + 1 != numbers_.size()) {  // the last takes its place
            numbers_[place] = numbers_.back();
            topic(numbers_[place]).history->place = place;
        }
        numbers_.pop_back();
    }
    std::size_t bytes() const noexcept { return bytes_; }

   private:
    /// Bytes that a topic takes because it has a history, whatever is in it: anybody who may publish can make many of them.
    static constexpr std::size_t of_topic = 2048;

    TopicIndex* topics_;
    std::vector<std::uint32_t> numbers_;  ///< of topics that have a history
    std::size_t next_ = 0;                ///< to be swept
    std::size_t bytes_ = 0;
};

inline std::pair<Position, bool> TopicMemory::begins(std::uint32_t number, std::optional<Position> since, std::uint32_t newest,
                                                     std::int64_t now) {
    change(number, [now](History& history) { history.forget_old(now); });
    Position const last = topic(number).position;
    History const& history = *topic(number).history;
    if (since && since->epoch == last.epoch && since->offset <= last.offset && history.covers(since->offset))
        return {*since, true};
    return {{last.epoch, history.offset_before_newest(newest, last.offset)}, false};
}

inline Backlog TopicMemory::backlog(std::uint32_t number, std::optional<Position> since, std::uint32_t newest,
                                    QueueLimits const& limits, std::int64_t now) {
    auto const [position, recovered] = begins(number, since, newest, now);
    History const& history = *topic(number).history;
    Backlog result{position, recovered, topic(number).position.offset, {}};
    // Half of what a queue may have, and what small messages of others may wait for.
    std::size_t const most_bytes = std::min<std::size_t>(limits.bytes / 2, 64 * 1024);
    std::size_t const most_messages = std::max<std::size_t>(1, std::min<std::size_t>(limits.messages / 2, 256));
    std::size_t bytes = 0;
    history.each_behind(result.begins.offset, now, [&](History::Entry const& entry) {
        Frame const& sent = entry.sent ? *entry.sent : *entry.frame;
        bytes += sent.size();
        if (!result.messages.empty() && (bytes > most_bytes || result.messages.size() == most_messages)) {
            result.reached = result.messages.back().offset;
            return false;
        }
        result.messages.push_back({entry.offset, entry.key, sent});
        return true;
    });
    return result;
}

inline HistoryPage TopicMemory::page(std::uint32_t number, HistoryQuery const& query, std::int64_t now) {
    change(number, [now](History& history) { history.forget_old(now); });
    History const& history = *topic(number).history;
    HistoryPage page{topic(number).position, history.covers(query.after), {}};
    auto const take = [&](History::Entry const& entry) {
        bool const is_within = entry.offset > query.after && (!query.before || entry.offset < query.before);
        if (!is_within || page.messages.size() == query.most) return false;
        page.messages.push_back({entry.offset, entry.key, *entry.frame});
        return true;
    };
    if (query.newest_first)
        history.each_before(query.before ? query.before : page.newest.offset + 1, now, take);
    else
        history.each_behind(query.after, now, take);
    return page;
}

template <class Empty>
void TopicMemory::sweep(std::int64_t now, Empty&& empty) {
    for (std::size_t left = std::min(numbers_.size(), numbers_.size() / 16 + 256); left; --left) {
        next_ = next_ + 1 < numbers_.size() ? next_ + 1 : 0;
        std::uint32_t const number = numbers_[next_];
        bool const is_empty = change(number, [now](History& history) {
            history.forget_old(now);
            return history.is_over(now);
        });
        if (is_empty) empty(number);
    }
}

template <class Empty>
std::size_t TopicMemory::forget_some(std::size_t bytes, Empty&& empty) {
    std::vector<std::pair<std::size_t, std::uint32_t>> largest;
    for (std::uint32_t const number : numbers_) largest.emplace_back(topic(number).history->footprint(), number);
    std::sort(largest.begin(), largest.end(), std::greater<>());
    std::size_t const before = bytes_;
    for (auto const& [size, number] : largest) {
        std::size_t const freed = before - bytes_;
        if (freed >= bytes) break;
        // Half of a large one, so that no topic loses all for the others: those are nearly as large.
        bool const is_empty = change(number, [&, most = size / 2](History& history) {
            history.forget_some(std::min(bytes - freed, most));
            return history.empty();
        });
        if (is_empty) empty(number);
    }
    return before - bytes_;
}

}  // namespace hubbub::inline v0
