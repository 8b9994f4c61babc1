#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include <hubbub/core/assert.hpp>
#include <hubbub/hub/overflow_action.hpp>
#include <hubbub/hub/subscriber.hpp>
#include <hubbub/hub/topic_index.hpp>
#include <hubbub/ws/block_pool.hpp>

namespace hubbub::inline v0 {

/// The sums of one shard. At any quiet moment `deliveries == written + dropped + pending`, exactly.
struct DeliveryCounts {
    std::uint64_t deliveries = 0;  ///< messages that were meant for a session, once for each
    std::uint64_t written = 0;
    std::uint64_t dropped[drop_reasons] = {};
};

/// Topics, runs, fan-out and admission to the queues of one shard: who gets which bytes, decided without any I/O.
///
/// Messages of a topic are collected in its *run* and given to each member once, at the end of the turn (`fan_out`); direct
/// sends go into the turn's *arena*. Program order holds for each session.
///
/// Threading: its shard's. Runs no user code.
/// Cost: publish copies the message once; fan-out is one slice for each member and turn.
class Delivery {
   public:
    Delivery(QueueLimits limits, SipHash hash) : limits_(limits), topics_(hash), arena_(make_arena()) {}
    Delivery(Delivery const&) = delete;
    Delivery& operator=(Delivery const&) = delete;
    ~Delivery() { pool_.release(arena_); }

    ws::BlockPool& pool() noexcept { return pool_; }
    TopicIndex& topics() noexcept { return topics_; }
    DeliveryCounts const& counts() const noexcept { return counts_; }
    QueueLimits const& limits() const noexcept { return limits_; }

    /// Sessions with something to write, in the order in which they got it. The shard swaps it out and flushes.
    std::vector<Subscriber*>& flush_list() noexcept { return flush_list_; }
    /// Sessions that their overflow policy has condemned; their free messages are gone, a Close is due.
    std::vector<Subscriber*>& overflowed() noexcept { return overflowed_; }
    bool has_work() const noexcept { return !flush_list_.empty() || !dirty_.empty() || !overflowed_.empty(); }

    // ---- messages

    /// Adds a message to the topic's run. `except` does not get it; it is a member or not.
    void publish(std::uint32_t number, MessageView message, Subscriber* except = nullptr);
    /// Sends to one session, behind all that was published to its topics before. False if it can never fit.
    bool send(Subscriber& to, MessageView message);
    bool fits(std::size_t payload) const noexcept { return ws::server_frame_size(payload) <= limits_.bytes; }

    // ---- members

    /// `joining`: nothing until `admit`. The caller checks that it is no member yet.
    void join(Subscriber& subscriber, std::uint32_t number, bool joining = false);
    /// What came before is the leaver's, what follows is not.
    void leave(Subscriber& subscriber, std::uint32_t number);
    void leave_all(Subscriber& subscriber);
    /// The owner has answered: the joining members are members from here on.
    void admit(Topic& topic);

    // ---- end of a turn

    void fan_out();
    /// The turn's arena can be used again, or a new one is taken when somebody still refers to it.
    void end_turn();

    // ---- sessions

    void note_written(Subscriber& subscriber, std::uint32_t bytes) {
        std::uint32_t const messages = subscriber.queue.taken(pool_, bytes);
        subscriber.written += messages;
        counts_.written += messages;
    }
    void want_flush(Subscriber& subscriber) {
        if (subscriber.in_flush_list || subscriber.blocked) return;
        subscriber.in_flush_list = true;
        flush_list_.push_back(&subscriber);
    }
    /// Drops all that is free in the queue, as `reason`.
    void drop_pending(Subscriber& subscriber, DropReason reason) {
        note_dropped(subscriber, nullptr, reason, subscriber.queue.drop_free(pool_));
    }
    /// Drops everything: the connection is gone.
    void drop_all(Subscriber& subscriber) {
        std::uint32_t const messages = subscriber.queue.messages();
        subscriber.queue.clear(pool_);
        note_dropped(subscriber, nullptr, DropReason::session_closed, messages);
    }
    /// Gives a session what its topics published so far, so that what is queued next comes behind it.
    void bring_up_to_date(Subscriber& subscriber) { catch_up(subscriber); }
    bool arena_in_use() const noexcept { return arena_->references > 1; }

   private:
    static constexpr std::uint32_t none = ~0u;
    static constexpr std::uint32_t smallest_run = 512;

    ws::Block* make_arena() {
        ws::Block* arena = pool_.make(ws::BlockPool::largest_segment);
        arena->is_arena = true;
        return arena;
    }
    std::byte* room_for(Topic& topic, std::uint32_t number, std::uint32_t bytes);
    [[gnu::always_inline]] void enqueue(Subscriber& to, Topic* topic, ws::Block* block, std::uint32_t offset, std::uint32_t length,
                                        std::uint32_t messages);
    void enqueue_slowly(Subscriber& to, Topic* topic, ws::Block* block, std::uint32_t offset, std::uint32_t length,
                        std::uint32_t messages);
    void condemn(Subscriber& subscriber, Topic* topic);
    void give(Topic& topic, Topic::Member const& member);
    std::uint32_t part_at_end(Topic const& topic);
    RunPart end_of(Topic const& topic) const noexcept;
    void catch_up(Subscriber& subscriber);
    void note_dropped(Subscriber& subscriber, Topic* topic, DropReason reason, std::uint32_t messages) noexcept {
        subscriber.dropped += messages;
        counts_.dropped[static_cast<std::size_t>(reason)] += messages;
        if (topic) topic->dropped[static_cast<std::size_t>(reason)] += messages;
    }

    QueueLimits limits_;
    ws::BlockPool pool_;
    TopicIndex topics_;
    DeliveryCounts counts_;
    std::vector<std::uint32_t> dirty_;  ///< topics with an open run
    std::vector<RunPart> parts_;        ///< live for one turn
    std::vector<RunExclusion> exclusions_;
    std::vector<Subscriber*> flush_list_, overflowed_;
    std::uint32_t published_ = 1;
    ws::Block* arena_;
};

inline std::byte* Delivery::room_for(Topic& topic, std::uint32_t number, std::uint32_t bytes) {
    if (topic.run.empty()) {
        dirty_.push_back(number);
    } else {
        ws::Block& open = *topic.run.back().block;
        if (open.capacity - open.size >= bytes) return open.bytes + open.size;
    }
    // A full segment is left as it is, because slices of it may be out; the next is larger.
    std::uint32_t const wanted = topic.run.empty() ? topic.size_hint : topic.run.back().block->capacity * 2;
    std::uint32_t const size = std::max(bytes, std::clamp(wanted, smallest_run, ws::BlockPool::largest_segment));
    topic.run.push_back({pool_.make(size, number), 0});
    return topic.run.back().block->bytes;
}

inline void Delivery::publish(std::uint32_t number, MessageView message, Subscriber* except) {
    Topic& topic = topics_[number];
    if (topic.members.empty()) return;
    ++published_;
    auto const most = static_cast<std::uint32_t>(message.size() + ws::max_server_header);
    std::byte* const out = room_for(topic, number, most);
    Topic::Segment& segment = topic.run.back();
    std::uint32_t const offset = segment.block->size;
    std::size_t const header = ws::encode_server_header(out, message.opcode(), message.size());
    if (message.size()) std::memcpy(out + header, message.payload().data(), message.size());
    auto const length = static_cast<std::uint32_t>(header + message.size());
    segment.block->size += length;

    if (except) {
        if (auto const* membership = except->find(number)) {
            Topic::Member& member = topic.members[membership->place];
            if (member.from != Topic::Member::joining) {
                if (member.from == Topic::Member::whole) {
                    parts_.push_back({0, 0, 0, none, none});
                    member.from = static_cast<std::uint32_t>(parts_.size());
                }
                RunPart& part = parts_[member.from - 1];
                auto const exclusion = static_cast<std::uint32_t>(exclusions_.size());
                exclusions_.push_back({static_cast<std::uint32_t>(topic.run.size() - 1), offset, length, segment.messages, none});
                (part.first_exclusion == none ? part.first_exclusion : exclusions_[part.last_exclusion].next) = exclusion;
                part.last_exclusion = exclusion;
            }
        }
    }
    ++segment.messages;
}

inline bool Delivery::send(Subscriber& to, MessageView message) {
    if (!fits(message.size())) return false;
    catch_up(to);
    counts_.deliveries += 1;
    auto const most = static_cast<std::uint32_t>(message.size() + ws::max_server_header);
    bool const own = most > ws::BlockPool::largest_segment / 2;
    if (!own && arena_->capacity - arena_->size < most) {
        pool_.release(arena_);
        arena_ = make_arena();
    }
    ws::Block* const block = own ? pool_.make(most) : arena_;
    std::uint32_t const offset = block->size;
    std::size_t const header = ws::encode_server_header(block->bytes + offset, message.opcode(), message.size());
    if (message.size()) std::memcpy(block->bytes + offset + header, message.payload().data(), message.size());
    auto const length = static_cast<std::uint32_t>(header + message.size());
    block->size += length;
    enqueue(to, nullptr, block, offset, length, 1);
    if (own) pool_.release(block);
    return true;
}

inline void Delivery::enqueue(Subscriber& to, Topic* topic, ws::Block* block, std::uint32_t offset, std::uint32_t length,
                              std::uint32_t messages) {
    if (to.state == Subscriber::State::open && to.queue.bytes() + std::uint64_t{length} <= limits_.bytes &&
        to.queue.messages() + messages <= limits_.messages) [[likely]] {
        to.queue.push(block, offset, length, messages);
        want_flush(to);
        return;
    }
    enqueue_slowly(to, topic, block, offset, length, messages);
}

/// Message by message, so that the limits are strict and the reasons exact.
[[gnu::noinline]] inline void Delivery::enqueue_slowly(Subscriber& to, Topic* topic, ws::Block* block, std::uint32_t offset,
                                                       std::uint32_t length, std::uint32_t messages) {
    for (std::uint32_t const end = offset + length; offset < end; --messages) {
        if (to.state != Subscriber::State::open) {  // what still comes in this turn, and all of it if it was closed before
            note_dropped(to, topic, DropReason::session_closed, messages);
            return;
        }
        auto const size = static_cast<std::uint32_t>(ws::server_frame_size(block->bytes + offset));
        auto const fits_now = [&] {
            return to.queue.bytes() + std::uint64_t{size} <= limits_.bytes && to.queue.messages() < limits_.messages;
        };
        if (!fits_now() && limits_.on_full == OverflowAction::drop_oldest)
            while (!fits_now() && to.queue.drop_oldest(pool_, block->topic)) note_dropped(to, topic, DropReason::slow_consumer, 1);
        if (fits_now()) {
            to.queue.push(block, offset, size, 1);
            want_flush(to);
        } else {
            note_dropped(to, topic, DropReason::slow_consumer, 1);
            if (limits_.on_full == OverflowAction::disconnect) condemn(to, topic);
        }
        offset += size;
    }
}

inline void Delivery::condemn(Subscriber& subscriber, Topic*) {
    subscriber.state = Subscriber::State::overflowed;
    drop_pending(subscriber, DropReason::session_closed);
    overflowed_.push_back(&subscriber);
}

inline RunPart Delivery::end_of(Topic const& topic) const noexcept {
    Topic::Segment const& last = topic.run.back();
    return {static_cast<std::uint32_t>(topic.run.size() - 1), last.block->size, last.messages, none, none};
}

inline std::uint32_t Delivery::part_at_end(Topic const& topic) {
    if (topic.run.empty()) return Topic::Member::whole;
    parts_.push_back(end_of(topic));
    return static_cast<std::uint32_t>(parts_.size());
}

inline void Delivery::join(Subscriber& subscriber, std::uint32_t number, bool joining) {
    Topic& topic = topics_[number];
    std::uint32_t const from = joining ? Topic::Member::joining : part_at_end(topic);
    auto const place = static_cast<std::uint32_t>(topic.members.size());
    std::uint32_t slot = 0;
    if (subscriber.first.topic == Subscriber::no_topic) {
        subscriber.first = {number, place};
    } else {
        if (!subscriber.more) subscriber.more = std::make_unique<std::vector<Subscriber::Membership>>();
        subscriber.more->push_back({number, place});
        slot = static_cast<std::uint32_t>(subscriber.more->size());
    }
    topic.members.push_back({&subscriber, slot, from});
}

inline void Delivery::leave(Subscriber& subscriber, std::uint32_t number) {
    Topic& topic = topics_[number];
    Subscriber::Membership* const membership = subscriber.find(number);
    HUBBUB_ASSERT(membership);
    std::uint32_t const place = membership->place;
    give(topic, topic.members[place]);

    topic.members[place] = topic.members.back();
    topic.members.pop_back();
    if (place < topic.members.size()) {
        Topic::Member const& moved = topic.members[place];
        moved.subscriber->by_slot(moved.slot).place = place;
    }

    if (membership == &subscriber.first) {
        subscriber.first = {};
        return;
    }
    *membership = subscriber.more->back();
    subscriber.more->pop_back();
    auto const slot = static_cast<std::uint32_t>(membership - subscriber.more->data());
    if (slot < subscriber.more->size()) topics_[membership->topic].members[membership->place].slot = slot + 1;
}

inline void Delivery::leave_all(Subscriber& subscriber) {
    if (subscriber.first.topic != Subscriber::no_topic) leave(subscriber, subscriber.first.topic);
    while (subscriber.more && !subscriber.more->empty()) leave(subscriber, subscriber.more->back().topic);
}

inline void Delivery::admit(Topic& topic) {
    for (Topic::Member& member : topic.members)
        if (member.from == Topic::Member::joining) member.from = part_at_end(topic);
}

/// What is a member's of the open run up to now.
[[gnu::noinline]] inline void Delivery::give(Topic& topic, Topic::Member const& member) {
    if (member.from == Topic::Member::joining || topic.run.empty()) return;
    RunPart part = member.from == Topic::Member::whole ? RunPart{0, 0, 0, none, none} : parts_[member.from - 1];
    std::uint32_t exclusion = part.first_exclusion;
    for (; part.segment < topic.run.size(); ++part.segment, part.offset = part.before = 0) {
        Topic::Segment const& segment = topic.run[part.segment];
        auto const up_to = [&](std::uint32_t offset, std::uint32_t before) {
            if (offset == part.offset) return;
            counts_.deliveries += before - part.before;
            enqueue(*member.subscriber, &topic, segment.block, part.offset, offset - part.offset, before - part.before);
        };
        for (; exclusion != none && exclusions_[exclusion].segment == part.segment; exclusion = exclusions_[exclusion].next) {
            RunExclusion const& skipped = exclusions_[exclusion];
            up_to(skipped.offset, skipped.before);
            part.offset = skipped.offset + skipped.length;
            part.before = skipped.before + 1;
        }
        up_to(segment.block->size, segment.messages);
    }
}

/// A direct send comes behind what its receiver's topics got before it: the order of the program.
inline void Delivery::catch_up(Subscriber& subscriber) {
    if (dirty_.empty() || subscriber.seen == published_) return;
    subscriber.seen = published_;
    subscriber.each_membership([this](Subscriber::Membership const& membership) {
        Topic& topic = topics_[membership.topic];
        Topic::Member& member = topic.members[membership.place];
        if (topic.run.empty() || member.from == Topic::Member::joining) return;
        give(topic, member);
        if (member.from == Topic::Member::whole)
            member.from = part_at_end(topic);
        else
            parts_[member.from - 1] = end_of(topic);
    });
}

inline void Delivery::fan_out() {
    for (std::uint32_t const number : dirty_) {
        Topic& topic = topics_[number];
        Topic::Member* const members = topic.members.data();
        std::size_t const count = topic.members.size();
        std::uint32_t bytes = 0;
        bool const one = topic.run.size() == 1;
        ws::Block* const block = topic.run.front().block;
        std::uint32_t const size = block->size, messages = topic.run.front().messages;
        std::uint64_t whole = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (i + 8 < count) {
                auto const* ahead = reinterpret_cast<char const*>(members[i + 8].subscriber);
                __builtin_prefetch(ahead);
                __builtin_prefetch(ahead + 64);
            }
            if (one && members[i].from == Topic::Member::whole) [[likely]] {
                ++whole;
                enqueue(*members[i].subscriber, &topic, block, 0, size, messages);
            } else if (members[i].from != Topic::Member::joining) {
                give(topic, members[i]);
                members[i].from = Topic::Member::whole;
            }
        }
        counts_.deliveries += whole * messages;
        for (Topic::Segment const& segment : topic.run) {
            bytes += segment.block->size;
            pool_.release(segment.block);
        }
        topic.run.clear();
        topic.size_hint = bytes;
    }
    dirty_.clear();
    parts_.clear();
    exclusions_.clear();
}

inline void Delivery::end_turn() {
    if (arena_->references == 1) {
        arena_->size = 0;
        return;
    }
    pool_.release(arena_);
    arena_ = make_arena();
}

}  // namespace hubbub::inline v0
