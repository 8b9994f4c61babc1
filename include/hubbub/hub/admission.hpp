#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <hubbub/core/probe.hpp>
#include <hubbub/core/room_for_one.hpp>
#include <hubbub/hub/delivery_counts.hpp>
#include <hubbub/hub/topic.hpp>
#include <hubbub/policy/overflow.hpp>
#include <hubbub/ws/block_pool.hpp>

namespace hubbub::inline v0 {

/// What gets into the queues of one shard's sessions, and how each message there ends: limits, overflow, watermarks and the
/// exact sums.
///
/// Threading: its shard's. Runs no user code but the overflow policy's decision.
/// Cost: what fits is one push; what does not is looked at message by message.
class Admission {
   public:
    using Decide = OverflowAction (*)(void const* policy, QueueState const&, OverflowingMessage const&) noexcept;

    /// A session whose watermark was crossed, and in which direction.
    struct Pressure {
        Subscriber* subscriber;
        bool high;
    };

    template <OverflowPolicy Policy>
    Admission(QueueLimits const& limits, Policy const& policy)
        : limits_(limits),
          fast_bytes_(std::min(limits.bytes, limits.high_bytes)),
          policy_(&policy),
          decide_([](void const* self, QueueState const& state, OverflowingMessage const& message) noexcept {
              return static_cast<Policy const*>(self)->on_full(state, message);
          }) {}

    ws::BlockPool& pool() noexcept { return pool_; }
    DeliveryCounts const& counts() const noexcept { return counts_; }
    QueueLimits const& limits() const noexcept { return limits_; }
    /// What was dropped of messages at their arrival; `counts().dropped` has those too that were evicted later.
    std::uint64_t const (&refused() const noexcept)[drop_reasons] { return refused_; }

    /// Sessions with something to write, in the order in which they got it. The shard swaps it out and flushes.
    std::vector<Subscriber*>& flush_list() noexcept { return flush_list_; }
    /// Sessions that overflow has condemned; their free messages are gone, a Close is due.
    std::vector<Subscriber*>& overflowed() noexcept { return overflowed_; }
    std::vector<Pressure>& pressures() noexcept { return pressures_; }

    bool fits(std::size_t payload) const noexcept { return ws::server_frame_size(payload) <= limits_.bytes; }

    /// `messages` whole frames for one session, of a topic or (null) sent to it alone. The caller counts them as deliveries.
    [[gnu::always_inline]] void enqueue(Subscriber& to, Topic* topic, ws::Block* block, std::uint32_t offset,
                                        std::uint32_t length, std::uint32_t messages) {
        if (to.state == Subscriber::State::open && to.queue.bytes() + std::uint64_t{length} <= fast_bytes_ &&
            to.queue.messages() + messages <= limits_.messages) [[likely]] {
            want_flush(to);  // first: what is queued and never written would be worse than a look at an empty queue
            to.queue.push(block, offset, length, messages);
            return;
        }
        enqueue_each(to, topic, block, offset, length, messages);
    }
    /// The same, message by message, so that the limits are strict, the reasons exact and keys replaced.
    void enqueue_each(Subscriber& to, Topic* topic, ws::Block* block, std::uint32_t offset, std::uint32_t length,
                      std::uint32_t messages);

    void want_flush(Subscriber& subscriber) {
        if (subscriber.in_flush_list || subscriber.blocked) return;
        Subscriber* const last = &subscriber;
        flush_list_.push_back(last);  // of a name: what takes a temporary is a call, with g++
        subscriber.in_flush_list = true;
    }

    /// Who got something last, so that nobody else waits behind him: the caller flushes him. False: he is flushed with the others.
    bool takes_back(Subscriber const& subscriber) noexcept {
        if (flush_list_.empty() || flush_list_.back() != &subscriber) return false;
        flush_list_.pop_back();
        return true;
    }

    // ---- how messages end

    void note_deliveries(std::uint64_t messages) noexcept { counts_.deliveries += messages; }
    [[gnu::always_inline]] void note_written(Subscriber& subscriber, std::uint32_t bytes) {
        std::uint32_t const messages = subscriber.queue.taken(pool_, bytes);
        subscriber.written += messages;
        counts_.written += messages;
        if (subscriber.pressed && subscriber.queue.bytes() <= limits_.low_bytes) {
            subscriber.pressed = false;
            pressures_.push_back({&subscriber, false});
        }
    }
    void note_dropped(Subscriber& subscriber, Topic* topic, DropReason reason, std::uint32_t messages) noexcept {
        HUBBUB_PROBE(2, drop, static_cast<unsigned>(reason), messages);
        subscriber.dropped += messages;
        counts_.dropped[static_cast<std::size_t>(reason)] += messages;
        if (topic) topic->dropped[static_cast<std::size_t>(reason)] += messages;
    }
    /// Drops all that is free in the queue: the session ends.
    void drop_free(Subscriber& subscriber) {
        note_dropped(subscriber, nullptr, DropReason::session_closed, subscriber.queue.drop_free(pool_));
    }
    /// Drops everything: the connection is gone.
    void drop_all(Subscriber& subscriber) {
        std::uint32_t const messages = subscriber.queue.messages();
        subscriber.queue.clear(pool_);
        note_dropped(subscriber, nullptr, DropReason::session_closed, messages);
    }
    /// Drops what has outlived its time. Looked at only when a session was blocked.
    void drop_expired(Subscriber& subscriber, std::int64_t now) {
        if (!may_expire_) return;
        std::uint32_t const messages = subscriber.queue.drop_expired(pool_, now);
        note_dropped(subscriber, nullptr, DropReason::expired, messages);
        subscriber.missed = (subscriber.missed + messages) & ~(1u << 31);
    }
    /// Some message has an expiry: from now on it is looked for.
    void note_expiry() noexcept { may_expire_ = true; }

   private:
    bool fits_now(Subscriber const& to, std::uint32_t bytes) const noexcept {
        return to.queue.bytes() + std::uint64_t{bytes} <= limits_.bytes && to.queue.messages() < limits_.messages;
    }
    void refuse(Subscriber& to, Topic* topic, DropReason reason, std::uint32_t messages) noexcept {
        note_dropped(to, topic, reason, messages);
        refused_[static_cast<std::size_t>(reason)] += messages;
    }
    bool replace(Subscriber& to, Topic* topic, std::uint64_t key, ws::Block* block, std::uint32_t offset, std::uint32_t bytes);
    void overflow(Subscriber& to, Topic* topic, std::uint64_t key, ws::Block* block, std::uint32_t bytes);

    QueueLimits limits_;
    std::uint32_t fast_bytes_;
    bool may_expire_ = false;
    void const* policy_;
    Decide decide_;
    ws::BlockPool pool_;
    DeliveryCounts counts_;
    std::uint64_t refused_[drop_reasons] = {};
    std::vector<Subscriber*> flush_list_, overflowed_;
    std::vector<Pressure> pressures_;
};

[[gnu::noinline]] inline void Admission::enqueue_each(Subscriber& to, Topic* topic, ws::Block* block, std::uint32_t offset,
                                                      std::uint32_t length, std::uint32_t messages) {
    bool const by_key = topic && topic->keeps_last_of_key && !to.queue.empty();
    if (to.state == Subscriber::State::open) {
        // First, because what is noted behind a change of the queue may not fail.
        make_room_for_one(pressures_);
        make_room_for_one(overflowed_);
        want_flush(to);
    }
    for (std::uint32_t const end = offset + length; offset < end; --messages) {
        if (to.state != Subscriber::State::open) {  // what still comes in this turn, and all of it if it was closed before
            refuse(to, topic, DropReason::session_closed, messages);
            return;
        }
        auto const bytes = static_cast<std::uint32_t>(ws::server_frame_size(block->bytes + offset));
        auto const* const record = block->records ? ws::BlockPool::record_at(block, offset) : nullptr;
        std::uint64_t const key = record ? record->key : 0;
        if (!(by_key && key && replace(to, topic, key, block, offset, bytes))) {
            if (!fits_now(to, bytes)) overflow(to, topic, key, block, bytes);
            if (to.state == Subscriber::State::open && fits_now(to, bytes)) {
                to.queue.push(block, offset, bytes, 1);
            } else {
                refuse(to, topic, DropReason::slow_consumer, 1);
                ++to.missed;
            }
        }
        offset += bytes;
    }
    if (to.state == Subscriber::State::open && !to.pressed && to.queue.bytes() > limits_.high_bytes) {
        to.pressed = true;
        pressures_.push_back({&to, true});
    }
}

/// True if the message took the place of an older one with its key, or could not because it is longer and there is no room.
inline bool Admission::replace(Subscriber& to, Topic* topic, std::uint64_t key, ws::Block* block, std::uint32_t offset,
                               std::uint32_t bytes) {
    using Replaced = OutboundQueue::Replaced;
    switch (to.queue.replace_key(pool_, key, block, offset, bytes, limits_.bytes)) {
        case Replaced::no: return false;
        case Replaced::yes: note_dropped(to, topic, DropReason::superseded, 1); return true;
        case Replaced::too_long: break;
    }
    refuse(to, topic, DropReason::slow_consumer, 1);
    ++to.missed;
    return true;
}

/// Makes room, or ends the session, or leaves things as they are, so that the message itself is dropped.
inline void Admission::overflow(Subscriber& to, Topic* topic, std::uint64_t key, ws::Block* block, std::uint32_t bytes) {
    auto const decided =
        topic && topic->on_full
            ? *topic->on_full
            : decide_(policy_, QueueState{to.queue.bytes(), to.queue.messages(), limits_},
                      OverflowingMessage{topic ? std::string_view(topic->name) : std::string_view(), bytes, key});
    switch (decided) {
        case OverflowAction::drop_newest:
        case OverflowAction::replace_key: return;  // what could be replaced has been
        case OverflowAction::drop_oldest:
            while (!fits_now(to, bytes) && to.queue.drop_oldest(pool_, block->topic)) {
                note_dropped(to, topic, DropReason::slow_consumer, 1);
                ++to.missed;
            }
            return;
        case OverflowAction::disconnect:
            to.state = Subscriber::State::overflowed;
            drop_free(to);
            overflowed_.push_back(&to);
            return;
    }
}

}  // namespace hubbub::inline v0
