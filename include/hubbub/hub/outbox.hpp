#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include <hubbub/hub/outbox_limits.hpp>
#include <hubbub/policy/topics.hpp>

namespace hubbub::inline v0 {

/// What was given to one broker, or waits for it, in its order: until it is acknowledged it can be given once more.
///
/// Threading: one thread. Cost: constant for each call, but `give_back`.
class Outbox {
   public:
    enum class State : std::uint8_t { waits, open, settled };
    struct Entry {
        std::string topic{}, body{};
        std::uint64_t serial = 0, token = 0, key = 0, id = 0;
        std::optional<HistoryLimits> history{};  ///< of a topic that remembers
        bool is_delivered = false;               ///< to those who are here, as far as it is known
        bool is_again = false;                   ///< it was given to the broker before
        State state = State::waits;
    };

    bool has_room(OutboxLimits const& limits) const noexcept {
        return entries_.empty() || (bytes_ < limits.bytes && entries_.size() < limits.messages);
    }
    void add(Entry entry) {
        entry.serial = next_serial_++;
        bytes_ += size_of(entry);
        entries_.push_back(std::move(entry));
    }
    std::uint64_t next_serial() const noexcept { return next_serial_; }
    /// Of what was added before that serial nothing waits, and nothing is with the broker.
    bool is_settled_before(std::uint64_t serial) const noexcept {
        return entries_.empty() || entries_.front().serial >= serial;
    }
    std::size_t size() const noexcept { return entries_.size(); }
    std::size_t bytes() const noexcept { return bytes_; }

    /// Calls `give(Entry&)` for those that wait, in their order; they are open then. Not more than a broker can answer in a moment: what
    /// else travels that way, as a probe, is not to wait for all that has piled up.
    template <class Give>
    void give_waiting(Give&& give) {
        for (; cursor_ < entries_.size() && open_ < most_open && open_bytes_ < most_open_bytes; ++cursor_) {
            Entry& entry = entries_[cursor_];
            if (entry.state != State::waits) continue;
            entry.state = State::open;
            ++open_;
            open_bytes_ += size_of(entry);
            give(entry);
        }
    }
    /// The broker has answered: calls `last(Entry&)`, and it is gone.
    template <class Last>
    void settle(std::uint64_t serial, Last&& last) {
        Entry* const entry = find(serial);
        if (!entry || entry->state == State::settled) return;
        last(*entry);
        finish(*entry);
        drop_settled();
    }
    /// The answer was lost: it waits again.
    void give_back(std::uint64_t serial) {
        Entry* const entry = find(serial);
        if (!entry || entry->state != State::open) return;
        close(*entry);
        entry->state = State::waits;
        entry->is_again = true;
        cursor_ = std::min(cursor_, static_cast<std::size_t>(serial - entries_.front().serial));
    }
    /// Calls `visit(Entry&)` for each that waits, in their order; those that it answers false for are gone.
    template <class Visit>
    void each_waiting(Visit&& visit) {
        for (Entry& entry : entries_)
            if (entry.state == State::waits && !visit(entry)) finish(entry);
        drop_settled();
    }
    /// The oldest that is not with the broker goes: calls `last(Entry&)`. False: there is none.
    template <class Last>
    bool drop_oldest(Last&& last) {
        for (Entry& entry : entries_) {
            if (entry.state != State::waits) continue;
            last(entry);
            finish(entry);
            drop_settled();
            return true;
        }
        return false;
    }

   private:
    static constexpr std::size_t most_open = 4096, most_open_bytes = std::size_t{4} << 20;

    static std::size_t size_of(Entry const& entry) noexcept { return sizeof entry + entry.topic.size() + entry.body.size(); }
    Entry* find(std::uint64_t serial) noexcept {
        if (entries_.empty() || serial < entries_.front().serial || serial >= next_serial_) return nullptr;
        return &entries_[static_cast<std::size_t>(serial - entries_.front().serial)];
    }
    void close(Entry const& entry) noexcept {
        if (entry.state != State::open) return;
        --open_;
        open_bytes_ -= size_of(entry);
    }
    void finish(Entry& entry) {
        close(entry);
        bytes_ -= size_of(entry) - sizeof entry;
        entry.state = State::settled;
        entry.body = {};
        entry.topic = {};
    }
    void drop_settled() {
        while (!entries_.empty() && entries_.front().state == State::settled) {
            bytes_ -= sizeof(Entry);
            entries_.pop_front();
            if (cursor_) --cursor_;
        }
    }

    std::deque<Entry> entries_;  ///< serials without a hole
    std::size_t cursor_ = 0;     ///< nothing before it waits
    std::uint64_t next_serial_ = 1;
    std::size_t bytes_ = 0;
    std::size_t open_ = 0, open_bytes_ = 0;
};

}  // namespace hubbub::inline v0
