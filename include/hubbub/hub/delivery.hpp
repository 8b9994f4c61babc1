#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <hubbub/core/assert.hpp>
#include <hubbub/core/room_for_one.hpp>
#include <hubbub/hub/admission.hpp>
#include <hubbub/hub/publication.hpp>
#include <hubbub/hub/topic_index.hpp>

namespace hubbub::inline v0 {

/// Topics, runs and fan-out of one shard: who gets which bytes, decided without any I/O.
///
/// Messages of a topic are collected in its *run* and given to each member once, at the end of the turn (`fan_out`); direct
/// sends go into the turn's *arena*. Program order holds for each session.
///
/// Threading: its shard's. Runs no user code.
/// Cost: publish copies the message once, and refers to it from 4 KiB on; fan-out is one slice for each member and turn.
///
/// Why it is long: runs, parts, exclusions and the arena are one invariant, that of the order; each alone could break it.
class Delivery {
   public:
    template <OverflowPolicy Policy>
    Delivery(QueueLimits const& limits, Policy const& policy, SipHash hash)
        : admission_(limits, policy), topics_(hash), arena_(make_arena()) {}
    Delivery(Delivery const&) = delete;
    Delivery& operator=(Delivery const&) = delete;
    ~Delivery() {
        fan_out();
        pool().release(arena_);
    }

    Admission& admission() noexcept { return admission_; }
    ws::BlockPool& pool() noexcept { return admission_.pool(); }
    TopicIndex& topics() noexcept { return topics_; }
    DeliveryCounts const& counts() const noexcept { return admission_.counts(); }
    /// For members and receivers whose variant is not plain. Lifetime: outlives the last of them.
    void compress_with(ws::Compressor& compressor) noexcept { compressor_ = &compressor; }
    bool has_runs() const noexcept { return !dirty_.empty(); }
    std::size_t subscriptions() const noexcept { return subscriptions_; }
    bool has_work() noexcept { return !dirty_.empty() || !admission_.flush_list().empty() || !admission_.overflowed().empty(); }

    // ---- messages

    /// Adds a message to the topic's run.
    void publish(std::uint32_t number, Publication const& publication);
    void publish(std::uint32_t number, MessageView message, Subscriber* except = nullptr) {
        publish(number, Publication{.message = message, .except = except});
    }
    /// The same at once and alone, to count what becomes of it.
    PublishCounts publish_counted(std::uint32_t number, Publication const& publication);
    /// Sends to one session, behind all that was published to its topics before. False if it can never fit. Where there is no memory
    /// it throws, and nothing of the message is queued or counted.
    bool send(Subscriber& to, MessageView message, std::uint8_t variant = ws::Compressor::plain);
    /// What the hub itself tells a session whose queue is empty: before all that is not queued yet, and nothing takes its place.
    /// False if it can never fit.
    bool notify(Subscriber& to, MessageView message);
    bool fits(std::size_t payload) const noexcept { return admission_.fits(payload); }

    // ---- members

    enum class Begins : std::uint8_t { now, when_admitted, when_recovered };
    /// `when_admitted`, `when_recovered`: nothing until `admit`. The caller checks that it is no member yet. `variant`: which frames it
    /// is sent, always the same for a subscriber.
    void join(Subscriber& subscriber, std::uint32_t number, Begins begins = Begins::now,
              std::uint8_t variant = ws::Compressor::plain);
    /// What came before is the leaver's, what follows is not.
    void leave(Subscriber& subscriber, std::uint32_t number);
    void leave_all(Subscriber& subscriber);
    /// The owner has answered: the joining members are members from here on.
    void admit(Topic& topic);
    /// This one has what the topic remembers.
    void admit(Topic& topic, Topic::Member& member) { member.from = part_at_end(topic); }

    // ---- end of a turn

    void fan_out();
    /// A new arena is taken when somebody still refers to this one, so that who is slow pins no more of it.
    void end_turn();

    /// Gives a session what its topics published so far, so that what is queued next comes behind it.
    void catch_up(Subscriber& subscriber) {
        if (!dirty_.empty() && subscriber.seen != published_) give_up_to_now(subscriber);
    }

   private:
    static constexpr std::uint32_t none = ~0u;
    static constexpr std::uint32_t smallest_run = 512;
    static constexpr std::uint32_t largest_in_arena = ws::BlockPool::largest_segment / 2;
    static constexpr std::size_t referenced_from = 4096;  ///< bytes of a message that is not copied into a run

    ws::Block* make_arena() {
        ws::Block* arena = pool().make(ws::BlockPool::largest_segment);
        arena->is_arena = true;
        return arena;
    }
    [[gnu::noinline]] void renew_arena() {
        ws::Block* const fresh = make_arena();  // first: where there is no memory, the old one stays
        pool().release(std::exchange(arena_, fresh));
    }
    static void write(std::byte* out, MessageView message) {
        ws::encode_server_frame(out, message.opcode(), message.payload());
    }
    std::byte* room_for(Topic& topic, std::uint32_t number, std::uint32_t bytes);
    void append(Topic& topic, std::uint32_t number, Publication const& publication);
    bool overwrite(Topic& topic, Publication const& publication);
    void note_published(std::uint32_t number) {
        ++published_;
        published_to_.push_back(number);
    }
    void send_payload(Subscriber& to, ws::Opcode opcode, std::span<std::byte const> payload, bool compressed);
    void send_apart(Subscriber& to, ws::Block* block, ws::Opcode opcode, std::span<std::byte const> payload, bool compressed);
    void send_compressed(Subscriber& to, MessageView message, std::uint8_t variant);
    VariantRun& filled(Topic& topic, std::uint8_t variant) {
        VariantRun& run = topic.variants->run_of(variant);
        run.fill(topic.run, *compressor_, pool());
        return run;
    }
    void make_room_for_variant(Topic& topic);
    void forget_variant(Topic& topic, std::uint32_t place);
    static void prefetch(std::span<Topic::Member const> members, std::size_t i) noexcept;
    void fan_out_plain(Topic& topic);
    void fan_out_mixed(Topic& topic);
    void exclude(Topic& topic, std::uint32_t number, Subscriber& except, std::uint32_t offset, std::uint32_t length);
    void fan_out(Topic& topic);
    void give(Topic& topic, Topic::Member const& member);
    static std::size_t place_of(Topic const& topic, Topic::Member const& member) noexcept {
        return static_cast<std::size_t>(&member - topic.members.data());
    }
    void give_up_to_now(Subscriber& subscriber);
    void give_up_to_now(Membership const& membership);
    std::uint32_t part_at_end(Topic& topic);
    RunPart end_of(Topic const& topic) const noexcept;

    Admission admission_;
    TopicIndex topics_;
    std::vector<std::uint32_t> dirty_;  ///< topics that had an open run in this turn
    std::vector<RunPart> parts_;        ///< live for one turn
    std::vector<RunExclusion> exclusions_;
    std::vector<std::uint32_t> published_to_;  ///< the topic of each publication of this turn
    std::uint32_t published_ = 1;
    ws::Block* arena_;
    ws::Compressor* compressor_ = nullptr;
    std::size_t subscriptions_ = 0;  ///< memberships in topics that are not internal
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
    topic.run.push_back({pool().make(size, number), 0});
    return topic.run.back().block->bytes;
}

inline void Delivery::publish(std::uint32_t number, Publication const& publication) {
    Topic& topic = topics_[number];
    if (topic.members.empty()) return;
    note_published(number);
    if (publication.key && topic.keeps_last_of_key && overwrite(topic, publication)) return;
    append(topic, number, publication);
}

inline void Delivery::append(Topic& topic, std::uint32_t number, Publication const& publication) {
    MessageView const message = publication.message;
    auto const length = static_cast<std::uint32_t>(ws::server_frame_size(message.size()));
    std::uint32_t offset = 0;
    if (publication.frame && message.size() >= referenced_from) {
        if (topic.run.empty()) dirty_.push_back(number);
        topic.run.push_back({pool().refer(*publication.frame, number), 0});
    } else {
        std::byte* const out = room_for(topic, number, length);
        offset = topic.run.back().block->size;
        write(out, message);
        topic.run.back().block->size += length;
    }
    Topic::Segment& segment = topic.run.back();
    if (!segment.messages) segment.block->position = publication.position;
    if (publication.key || publication.expires_at) {
        pool().note(segment.block, {offset, 0, publication.key, publication.expires_at});
        if (publication.expires_at) admission_.note_expiry();
    }
    if (publication.except) exclude(topic, number, *publication.except, offset, length);
    ++segment.messages;
}

/// Conflates inside the open run: a message of the same length and key is overwritten, while the run is the same for everybody.
/// Looks at the newest messages only; what it does not find is found in the queues of those who are slow.
inline bool Delivery::overwrite(Topic& topic, Publication const& publication) {
    if (topic.has_parts || publication.except || topic.run.empty() || publication.expires_at) return false;
    ws::Block& block = *topic.run.back().block;
    if (block.frame) return false;
    auto const records = ws::BlockPool::records(&block);
    std::size_t looked = 0;
    for (auto record = records.rbegin(); record != records.rend() && looked < 64; ++record, ++looked) {
        if (record->key != publication.key) continue;
        std::byte* const old = block.bytes + record->offset;
        if (record->expires_at || ws::server_frame_size(old) != ws::server_frame_size(publication.message.size())) return false;
        write(old, publication.message);
        ++topic.superseded;
        return true;
    }
    return false;
}

inline void Delivery::exclude(Topic& topic, std::uint32_t number, Subscriber& except, std::uint32_t offset,
                              std::uint32_t length) {
    auto const* membership = except.find(number);
    if (!membership) return;
    Topic::Member& member = topic.members[membership->place];
    if (member.waits()) return;
    if (member.from == Topic::Member::whole) {
        topic.has_parts = true;
        parts_.push_back({0, 0, 0, none, none, topic.superseded});
        member.from = static_cast<std::uint32_t>(parts_.size());
    }
    RunPart& part = parts_[member.from - 1];
    auto const exclusion = static_cast<std::uint32_t>(exclusions_.size());
    exclusions_.push_back({static_cast<std::uint32_t>(topic.run.size() - 1), offset, length, topic.run.back().messages, none});
    (part.first_exclusion == none ? part.first_exclusion : exclusions_[part.last_exclusion].next) = exclusion;
    part.last_exclusion = exclusion;
}

inline PublishCounts Delivery::publish_counted(std::uint32_t number, Publication const& publication) {
    Topic& topic = topics_[number];
    if (topic.members.empty()) return {};
    if (!topic.run.empty()) fan_out(topic);
    note_published(number);
    append(topic, number, publication);
    PublishCounts counts;
    std::uint64_t const before = admission_.counts().deliveries;
    std::uint64_t refused[drop_reasons];
    std::copy_n(admission_.refused(), drop_reasons, refused);
    fan_out(topic);
    counts.subscribers = counts.queued = admission_.counts().deliveries - before;
    for (std::size_t i = 0; i < drop_reasons; ++i) {
        counts.dropped[i] = admission_.refused()[i] - refused[i];
        counts.queued -= counts.dropped[i];
    }
    return counts;
}

/// What can never fit is judged by what the message says, so that it does not depend on what a session has agreed on.
inline bool Delivery::send(Subscriber& to, MessageView message, std::uint8_t variant) {
    if (!fits(message.size())) [[unlikely]]
        return false;
    catch_up(to);
    if (variant) [[unlikely]]
        send_compressed(to, message, variant);
    else
        send_payload(to, message.opcode(), message.payload(), false);
    return true;
}

[[gnu::noinline]] inline void Delivery::send_compressed(Subscriber& to, MessageView message, std::uint8_t variant) {
    auto const body = compressor_->compress(variant, message);
    send_payload(to, message.opcode(), body ? *body : message.payload(), body.has_value());
}

[[gnu::always_inline]] inline void Delivery::send_payload(Subscriber& to, ws::Opcode opcode, std::span<std::byte const> payload,
                                                          bool compressed) {
    std::size_t const length = ws::server_frame_size(payload.size());
    if (arena_->references == 1) arena_->size = 0;  // all of it is out
    if (length > std::min(largest_in_arena, arena_->capacity - arena_->size)) [[unlikely]] {
        if (length > largest_in_arena) return send_apart(to, pool().make(length), opcode, payload, compressed);
        renew_arena();
    }
    ws::Block* const block = arena_;
    std::uint32_t const offset = block->size;
    ws::encode_server_frame(block->bytes + offset, opcode, payload, compressed);
    block->size += static_cast<std::uint32_t>(length);
    admission_.enqueue(to, nullptr, block, offset, static_cast<std::uint32_t>(length), 1);
    admission_.note_deliveries(1);  // last: what could not be queued has thrown, and was never meant for anybody
}

/// In a block of its own, which is given away.
[[gnu::noinline]] inline void Delivery::send_apart(Subscriber& to, ws::Block* block, ws::Opcode opcode,
                                                   std::span<std::byte const> payload, bool compressed) {
    struct Holder {
        ws::BlockPool& pool;
        ws::Block* block;
        ~Holder() { pool.release(block); }
    } const holder{pool(), block};
    block->size = static_cast<std::uint32_t>(ws::server_frame_size(payload.size()));
    ws::encode_server_frame(block->bytes, opcode, payload, compressed);
    admission_.enqueue(to, nullptr, block, 0, block->size, 1);
    admission_.note_deliveries(1);
}

inline bool Delivery::notify(Subscriber& to, MessageView message) {
    if (!fits(message.size())) return false;
    ws::Block* const block = pool().make(ws::server_frame_size(message.size()), ws::Block::of_hub);
    send_apart(to, block, message.opcode(), message.payload(), false);
    return true;
}

inline RunPart Delivery::end_of(Topic const& topic) const noexcept {
    Topic::Segment const& last = topic.run.back();
    return {static_cast<std::uint32_t>(topic.run.size() - 1), last.block->size, last.messages, none, none, 0};
}

inline std::uint32_t Delivery::part_at_end(Topic& topic) {
    if (topic.run.empty()) return Topic::Member::whole;
    topic.has_parts = true;
    parts_.push_back(end_of(topic));
    return static_cast<std::uint32_t>(parts_.size());
}

/// What may fail for want of memory comes first, so that nobody is half a member.
inline void Delivery::join(Subscriber& subscriber, std::uint32_t number, Begins begins, std::uint8_t variant) {
    Topic& topic = topics_[number];
    std::uint32_t const from = begins == Begins::now             ? part_at_end(topic)
                               : begins == Begins::when_admitted ? Topic::Member::joining
                                                                 : Topic::Member::recovering;
    auto const place = static_cast<std::uint32_t>(topic.members.size());
    if (place == topic.members.capacity() && place >= 1024)
        topic.members.reserve(place + place / 4);  // doubling is dear by then
    make_room_for_one(topic.members);
    if (variant || topic.variants) [[unlikely]]
        make_room_for_variant(topic);
    std::uint32_t const slot = subscriber.add({number, place});
    topic.members.push_back({&subscriber, slot, from});
    subscriptions_ += !topic.is_internal();
    if (topic.variants) [[unlikely]]
        topic.variants->add(variant);
}

/// For the variant of one more member.
[[gnu::noinline]] inline void Delivery::make_room_for_variant(Topic& topic) {
    if (!topic.variants) {
        auto variants = std::make_unique<VariantRuns>();
        variants->of_member.resize(topic.members.size(), ws::Compressor::plain);
        topic.variants = std::move(variants);
    }
    make_room_for_one(topic.variants->of_member);
}

/// The newest member takes the place of one who leaves.
[[gnu::noinline]] inline void Delivery::forget_variant(Topic& topic, std::uint32_t place) {
    VariantRuns& variants = *topic.variants;
    variants.compressed -= variants.of_member[place] != ws::Compressor::plain;
    variants.of_member[place] = variants.of_member.back();
    variants.of_member.pop_back();
    if (variants.compressed) return;
    variants.clear(pool());
    topic.variants.reset();
}

inline void Delivery::leave(Subscriber& subscriber, std::uint32_t number) {
    Topic& topic = topics_[number];
    Membership* const membership = subscriber.find(number);
    HUBBUB_ASSERT(membership);
    std::uint32_t const place = membership->place;
    give(topic, topic.members[place]);
    topic.has_parts = topic.has_parts || !topic.run.empty();  // what he was given may not be overwritten

    if (topic.variants) [[unlikely]]
        forget_variant(topic, place);
    topic.members[place] = topic.members.back();
    topic.members.pop_back();
    subscriptions_ -= !topic.is_internal();
    if (place < topic.members.size()) {
        Topic::Member const& moved = topic.members[place];
        moved.subscriber->by_slot(moved.slot).place = place;
    }

    if (auto const [shifted, slot] = subscriber.remove(membership); shifted)
        topics_[shifted->topic].members[shifted->place].slot = slot;
}

inline void Delivery::leave_all(Subscriber& subscriber) {
    while (subscriber.more && subscriber.more->size()) leave(subscriber, (subscriber.more->end() - 1)->topic);
    for (Membership const& membership : subscriber.few)
        if (membership.topic != Subscriber::no_topic) leave(subscriber, membership.topic);
}

inline void Delivery::admit(Topic& topic) {
    for (Topic::Member& member : topic.members)
        if (member.from == Topic::Member::joining) admit(topic, member);
}

/// What is a member's of the open run up to now.
[[gnu::noinline]] inline void Delivery::give(Topic& topic, Topic::Member const& member) {
    if (member.waits() || topic.run.empty()) return;
    RunPart part =
        member.from == Topic::Member::whole ? RunPart{0, 0, 0, none, none, topic.superseded} : parts_[member.from - 1];
    Subscriber& to = *member.subscriber;
    if (part.superseded) {
        admission_.note_deliveries(part.superseded);
        admission_.note_dropped(to, &topic, DropReason::superseded, part.superseded);
    }
    std::uint8_t const variant = topic.variants ? topic.variants->of_member[place_of(topic, member)] : ws::Compressor::plain;
    VariantRun const* const run = variant ? &filled(topic, variant) : nullptr;
    std::uint32_t first = 0;  // message of the segment, among all of the run
    for (std::uint32_t i = 0; run && i < part.segment; ++i) first += topic.run[i].messages;
    auto const enqueue = [&](ws::Block* block, std::uint32_t offset, std::uint32_t length, std::uint32_t messages) {
        if (topic.keeps_last_of_key)
            admission_.enqueue_each(to, &topic, block, offset, length, messages);
        else
            admission_.enqueue(to, &topic, block, offset, length, messages);
    };
    std::uint32_t exclusion = part.first_exclusion;
    for (; part.segment < topic.run.size(); ++part.segment, part.offset = part.before = 0) {
        Topic::Segment const& segment = topic.run[part.segment];
        auto const up_to = [&](std::uint32_t offset, std::uint32_t before) {
            if (offset == part.offset) return;
            std::uint32_t const messages = before - part.before;
            admission_.note_deliveries(messages);
            if (run) return run->each_piece(first + part.before, first + before, enqueue);
            enqueue(segment.block, part.offset, offset - part.offset, messages);
        };
        for (; exclusion != none && exclusions_[exclusion].segment == part.segment; exclusion = exclusions_[exclusion].next) {
            RunExclusion const& skipped = exclusions_[exclusion];
            up_to(skipped.offset, skipped.before);
            part.offset = skipped.offset + skipped.length;
            part.before = skipped.before + 1;
        }
        up_to(segment.block->size, segment.messages);
        first += segment.messages;
    }
}

/// A direct send comes behind what its receiver's topics got before it: the order of the program. Looks through what is least: the
/// publications since the last time, the topics that have an open run, or those of the receiver.
[[gnu::noinline]] inline void Delivery::give_up_to_now(Subscriber& subscriber) {
    std::size_t const behind = std::min<std::size_t>(published_ - subscriber.seen, published_to_.size());
    subscriber.seen = published_;
    std::span<std::uint32_t const> topics(dirty_);
    if (behind < topics.size()) topics = std::span(published_to_).last(behind);
    if (subscriber.memberships() <= topics.size())
        return subscriber.each_membership([this](Membership const& membership) { give_up_to_now(membership); });
    for (std::uint32_t const number : topics)
        if (Membership const* const membership = subscriber.find(number)) give_up_to_now(*membership);
}

inline void Delivery::give_up_to_now(Membership const& membership) {
    Topic& topic = topics_[membership.topic];
    Topic::Member& member = topic.members[membership.place];
    if (topic.run.empty() || member.waits()) return;
    give(topic, member);
    if (member.from == Topic::Member::whole)
        member.from = part_at_end(topic);
    else
        parts_[member.from - 1] = end_of(topic);
}

inline void Delivery::fan_out() {
    for (std::uint32_t const number : dirty_) fan_out(topics_[number]);
    dirty_.clear();
    published_to_.clear();
    parts_.clear();
    exclusions_.clear();
}

inline void Delivery::fan_out(Topic& topic) {
    if (topic.run.empty()) return;
    if (topic.variants) [[unlikely]]
        fan_out_mixed(topic);
    else
        fan_out_plain(topic);
    std::uint32_t bytes = 0;
    for (Topic::Segment const& segment : topic.run) {
        bytes += segment.block->size;
        pool().release(segment.block);
    }
    topic.run.clear();
    topic.has_parts = false;
    topic.superseded = 0;
    topic.size_hint = bytes;
}

[[gnu::always_inline]] inline void Delivery::prefetch(std::span<Topic::Member const> members, std::size_t i) noexcept {
    if (i >= members.size()) return;
    auto const* ahead = reinterpret_cast<char const*>(members[i].subscriber);
    __builtin_prefetch(ahead);
    __builtin_prefetch(ahead + 64);
}

[[gnu::always_inline]] inline void Delivery::fan_out_plain(Topic& topic) {
    std::span<Topic::Member> const members(topic.members);
    ws::Block* const block = topic.run.front().block;
    std::uint32_t const size = block->size, messages = topic.run.front().messages;
    bool const plain = topic.run.size() == 1 && !topic.keeps_last_of_key;
    std::uint64_t whole = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
        prefetch(members, i + 8);
        if (plain && members[i].from == Topic::Member::whole) [[likely]] {
            ++whole;
            admission_.enqueue(*members[i].subscriber, &topic, block, 0, size, messages);
        } else if (!members[i].waits()) {
            give(topic, members[i]);
            members[i].from = Topic::Member::whole;
        }
    }
    admission_.note_deliveries(whole * messages);
}

/// The same where members are sent different frames of the same messages.
[[gnu::noinline]] inline void Delivery::fan_out_mixed(Topic& topic) {
    std::span<Topic::Member> const members(topic.members);
    std::uint8_t const* const variants = topic.variants->of_member.data();
    std::uint32_t messages = 0;
    for (Topic::Segment const& segment : topic.run) messages += segment.messages;
    std::array<ws::Block*, 256> whole_run{};  // by variant; null: not asked for yet, or in several blocks
    if (topic.run.size() == 1) whole_run[ws::Compressor::plain] = topic.run.front().block;
    std::uint64_t whole = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
        prefetch(members, i + 8);
        if (members[i].waits()) continue;
        if (members[i].from == Topic::Member::whole && !topic.keeps_last_of_key) {
            ws::Block*& block = whole_run[variants[i]];
            if (!block && variants[i]) block = filled(topic, variants[i]).whole();
            if (block) [[likely]] {
                ++whole;
                admission_.enqueue(*members[i].subscriber, &topic, block, 0, block->size, messages);
                continue;
            }
        }
        give(topic, members[i]);
        members[i].from = Topic::Member::whole;
    }
    admission_.note_deliveries(whole * messages);
    topic.variants->clear(pool());
}

inline void Delivery::end_turn() {
    if (arena_->references != 1) renew_arena();
}

}  // namespace hubbub::inline v0
