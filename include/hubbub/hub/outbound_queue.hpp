#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include <hubbub/core/assert.hpp>
#include <hubbub/ws/block_pool.hpp>
#include <hubbub/ws/frame_header.hpp>

namespace hubbub::inline v0 {

/// What is queued for one session: slices of blocks, with exact counts of bytes and messages.
///
/// Order in it: `[held by the connection][rest of the frame that is partly on the wire][free]`. Only what is free may be
/// dropped. The owner keeps the limits; the queue keeps the counts.
///
/// Threading: its shard's. Lifetime: `clear` before destruction, with the pool that its blocks come from.
/// Cost: three slices live inside, more in one array; a push is a few stores.
///
/// Why it is long: everything that moves a slice keeps the counts and the three regions right, and has to see them.
class OutboundQueue {
   public:
    OutboundQueue() noexcept : inside_{} {}
    OutboundQueue(OutboundQueue const&) = delete;
    OutboundQueue& operator=(OutboundQueue const&) = delete;
    ~OutboundQueue() {
        HUBBUB_ASSERT(empty());
        if (capacity_class_) delete[] outside_;
    }

    /// The most slices, and so the most messages, that a queue can be asked to keep.
    static constexpr std::uint32_t most_messages = 32'000;

    bool empty() const noexcept { return head_ == tail_; }
    std::uint32_t bytes() const noexcept { return bytes_; }        ///< on the wire's terms, headers included
    std::uint32_t messages() const noexcept { return messages_; }  ///< not wholly written yet; control frames do not count
    std::uint32_t held() const noexcept { return held_; }
    std::uint32_t control_frames() const noexcept { return control_frames_; }
    std::span<ws::Slice const> pending() const noexcept { return {slices() + head_, size()}; }

    void hold(std::uint32_t bytes) noexcept { held_ = bytes; }

    /// Appends `messages` whole frames. Takes a reference of its own. Where there is no memory for another slice, nothing has changed.
    [[gnu::always_inline]] void push(ws::Block* block, std::uint32_t offset, std::uint32_t length, std::uint32_t messages) {
        if (!extend_last(block, offset, length)) {
            if (tail_ == capacity()) [[unlikely]]
                make_room();
            ++block->references;
            slices()[tail_++] = {block, offset, length};
        }
        if (block->topic == nothing_of_) [[unlikely]]
            nothing_of_ = no_memory;
        bytes_ += length;
        messages_ += messages;
    }

    /// Bytes that are no frame (the 101 answer), into an empty queue: no message, never dropped.
    void push_opaque(ws::Block* block, std::uint32_t length) {
        HUBBUB_ASSERT(empty());
        push(block, 0, length, 0);
        partial_ = true;
        partial_kind_ = Kind::opaque;
    }

    /// A control frame goes in front of everything that is free; it is no message and never dropped.
    void push_control(ws::Block* block, std::uint32_t offset, std::uint32_t length) {
        std::uint32_t const at = boundary();
        insert(at, {block, offset, length});
        bytes_ += length;
        ++control_frames_;
    }
    /// A control frame behind everything: the Close that ends an orderly session.
    void push_last_control(ws::Block* block, std::uint32_t offset, std::uint32_t length) {
        insert(size(), {block, offset, length});
        bytes_ += length;
        ++control_frames_;
    }

    /// So many bytes from the front are out and nothing is held any more. Returns the messages that are whole by that.
    [[gnu::always_inline]] std::uint32_t taken(ws::BlockPool& pool, std::uint32_t count) {
        held_ = 0;
        if (count == bytes_) {
            std::uint32_t const all = messages_;
            clear(pool);
            return all;
        }
        return taken_partly(pool, count);
    }

    /// Drops the oldest free message of `topic`; false if there is none.
    bool drop_oldest(ws::BlockPool& pool, std::uint32_t topic) {
        if (nothing_of_ == topic) return false;  // asked before, and none has come since
        for (std::uint32_t i = boundary(); i < size(); ++i) {
            if (at(i).block->topic != topic) continue;
            for (std::uint32_t offset = 0; offset < at(i).length;) {
                std::byte const* frame = at(i).data() + offset;
                auto const length = static_cast<std::uint32_t>(ws::server_frame_size(frame));
                if (ws::is_message_frame(frame)) {
                    cut(pool, i, offset, length);
                    return true;
                }
                offset += length;
            }
        }
        if (!held_) nothing_of_ = topic;  // what is held may come back as free
        return false;
    }

    enum class Replaced : std::uint8_t { no, yes, too_long };

    /// Puts a frame in the place of the newest free message of the same topic with that key. `most` is the limit in bytes.
    Replaced replace_key(ws::BlockPool& pool, std::uint64_t key, ws::Block* block, std::uint32_t offset, std::uint32_t length,
                         std::uint32_t most) {
        std::uint32_t const first = boundary();
        for (std::uint32_t i = size(); i-- > first;) {
            ws::Slice const& slice = at(i);
            if (slice.block->topic != block->topic) continue;
            auto const records = ws::BlockPool::records(slice.block);
            for (auto record = records.rbegin(); record != records.rend(); ++record) {
                if (record->key != key || record->offset < slice.offset || record->offset - slice.offset >= slice.length)
                    continue;
                auto const old = static_cast<std::uint32_t>(ws::server_frame_size(slice.block->bytes + record->offset));
                if (bytes_ - old + std::uint64_t{length} > most) return Replaced::too_long;
                if (std::uint32_t const before = record->offset - slice.offset) split(i++, before);
                if (at(i).length > old) split(i, old);
                ++block->references;
                pool.release(at(i).block);
                at(i) = {block, offset, length};
                bytes_ = bytes_ - old + length;
                return Replaced::yes;
            }
        }
        return Replaced::no;
    }

    /// Drops every free message whose time is over. Returns how many went.
    std::uint32_t drop_expired(ws::BlockPool& pool, std::int64_t now) {
        std::uint32_t dropped = 0;
        for (std::uint32_t i = boundary(); i < size();) {
            ws::Slice const& slice = at(i);
            auto const* const record = ws::BlockPool::find_record(
                slice, [now](ws::MessageRecord const& each) { return each.expires_at && each.expires_at <= now; });
            if (!record) {
                ++i;
                continue;
            }
            // What is before it becomes a slice of its own, and what is behind it is looked at next.
            std::uint32_t const before = record->offset - slice.offset;
            cut(pool, i, before, static_cast<std::uint32_t>(ws::server_frame_size(slice.block->bytes + record->offset)));
            i += before ? 1 : 0;
            ++dropped;
        }
        return dropped;
    }

    /// Drops everything that is free, but for control frames. Returns the messages that went.
    std::uint32_t drop_free(ws::BlockPool& pool) {
        std::uint32_t dropped = 0;
        for (std::uint32_t i = boundary(); i < size();) {
            if (!ws::is_message_frame(at(i).data())) {
                ++i;
                continue;
            }
            dropped += count(at(i));
            bytes_ -= at(i).length;
            erase(pool, i);
        }
        messages_ -= dropped;
        return dropped;
    }

    /// Copies out what pins a block of which little is needed, so that a stalled session costs what it is charged. `weigh`
    /// spares blocks that many share. Only when no connection reads what it was offered.
    void compact(ws::BlockPool& pool, bool weigh) {
        for (std::uint32_t i = 0; i < size(); ++i) {
            ws::Slice& slice = at(i);
            ws::Block const& block = *slice.block;
            bool const small = std::uint64_t{slice.length} * 4 * (weigh ? block.references : 1) < block.capacity;
            if (!block.is_arena && (!small || block.size_class <= 7 || block.frame)) continue;
            if (i > (partial_ ? 1u : 0u) && join(pool, i)) {
                --i;
                continue;
            }
            ws::Block* own = pool.copy(slice);
            pool.release(slice.block);
            slice = {own, 0, slice.length};
        }
    }

    /// Bytes of memory that would be free without this queue, more or less: of what it shares, its share.
    std::size_t weight() const noexcept {
        std::size_t sum = capacity_class_ ? capacity() * sizeof(ws::Slice) : 0;
        for (ws::Slice const& slice : pending()) {
            bool const is_alone = slice.block->references == 1;
            sum += (is_alone ? slice.block->capacity : slice.length) / slice.block->references;
        }
        return sum;
    }

    [[gnu::always_inline]] void clear(ws::BlockPool& pool) noexcept {
        for (std::uint32_t i = head_; i < tail_; ++i) pool.release(slices()[i].block);
        bytes_ = messages_ = held_ = 0;
        control_frames_ = 0;
        partial_ = false;
        reset();
    }

    /// Messages among whole frames.
    static std::uint32_t count(ws::Slice const& slice) noexcept {
        std::uint32_t messages = 0;
        for (std::uint32_t offset = 0; offset < slice.length;) {
            messages += ws::is_message_frame(slice.data() + offset);
            offset += static_cast<std::uint32_t>(ws::server_frame_size(slice.data() + offset));
        }
        return messages;
    }

   private:
    enum class Kind : std::uint8_t { opaque, message, control };
    static constexpr std::uint32_t inside_capacity = 3;
    static constexpr std::uint32_t no_memory = ws::Block::no_topic - 1;

    ws::Slice* slices() noexcept { return capacity_class_ ? outside_ : inside_; }
    ws::Slice const* slices() const noexcept { return capacity_class_ ? outside_ : inside_; }
    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(tail_ - head_); }
    std::uint32_t capacity() const noexcept { return capacity_class_ ? 1u << capacity_class_ : inside_capacity; }
    ws::Slice& at(std::uint32_t i) noexcept { return slices()[head_ + i]; }

    /// What follows in the same block makes the last slice longer, if that is no rest of a frame.
    [[gnu::always_inline]] bool extend_last(ws::Block const* block, std::uint32_t offset, std::uint32_t length) noexcept {
        if (tail_ <= head_ + (partial_ ? 1 : 0)) return false;
        ws::Slice& last = slices()[tail_ - 1];
        if (last.block != block || last.offset + last.length != offset) return false;
        last.length += length;
        return true;
    }
    void reset() noexcept {
        head_ = tail_ = 0;
        if (capacity_class_ > 5) {  // a small array is kept: the next burst needs it again
            delete[] std::exchange(outside_, nullptr);
            capacity_class_ = 0;
        }
    }
    [[gnu::noinline]] void make_room() {
        if (head_ >= capacity() / 2) {
            std::memmove(slices(), slices() + head_, sizeof(ws::Slice) * size());
        } else {
            auto const next = static_cast<std::uint8_t>(capacity_class_ ? capacity_class_ + 1 : 3);
            HUBBUB_ASSERT(next <= 16);
            auto* grown = new ws::Slice[std::size_t{1} << next];
            std::memcpy(grown, slices() + head_, sizeof(ws::Slice) * size());
            if (capacity_class_) delete[] outside_;
            outside_ = grown;
            capacity_class_ = next;
        }
        tail_ = static_cast<std::uint16_t>(size());
        head_ = 0;
    }
    void insert(std::uint32_t i, ws::Slice slice) {
        if (tail_ == capacity()) make_room();
        ++slice.block->references;
        std::memmove(&at(i) + 1, &at(i), sizeof(ws::Slice) * (size() - i));
        at(i) = slice;
        ++tail_;
    }
    void erase(ws::BlockPool& pool, std::uint32_t i) noexcept {
        pool.release(at(i).block);
        if (i == 0)
            ++head_;
        else
            std::memmove(&at(i), &at(i) + 1, sizeof(ws::Slice) * (size() - i - 1)), --tail_;
        if (head_ == tail_) reset();
    }
    void split(std::uint32_t i, std::uint32_t first) {
        ws::Slice const whole = at(i);
        insert(i, {whole.block, whole.offset, first});
        at(i + 1) = {whole.block, whole.offset + first, whole.length - first};
    }
    /// Takes one message out of slice `i`.
    void cut(ws::BlockPool& pool, std::uint32_t i, std::uint32_t offset, std::uint32_t length) {
        if (offset) split(i++, offset);
        ws::Slice& slice = at(i);
        slice.offset += length;
        slice.length -= length;
        bytes_ -= length;
        --messages_;
        if (!slice.length) erase(pool, i);
    }
    /// Appends slice `i` to the one before it, if that block is this queue's alone and has room.
    bool join(ws::BlockPool& pool, std::uint32_t i) {
        ws::Slice const slice = at(i);
        ws::Slice& before = at(i - 1);
        ws::Block& block = *before.block;
        if (block.references != 1 || block.is_arena || block.frame || block.topic != slice.block->topic ||
            slice.block->records || block.records || before.offset + before.length != block.size ||
            block.capacity - block.size < slice.length)
            return false;
        std::memcpy(block.bytes + block.size, slice.data(), slice.length);
        block.size += slice.length;
        before.length += slice.length;
        erase(pool, i);
        return true;
    }

    /// Index of the first slice that is free as a whole; splits the slice in which the held bytes end.
    std::uint32_t boundary() {
        std::uint32_t i = 0, position = 0;
        if (partial_) {
            position = at(0).length;
            i = 1;
        }
        while (i < size() && position < held_) {
            if (position + at(i).length <= held_) {
                position += at(i++).length;
                continue;
            }
            std::uint32_t offset = 0;
            while (position + offset < held_)
                offset += static_cast<std::uint32_t>(ws::server_frame_size(at(i).data() + offset));
            if (offset < at(i).length) split(i, offset);
            return i + 1;
        }
        return i;
    }

    [[gnu::noinline]] std::uint32_t taken_partly(ws::BlockPool& pool, std::uint32_t count) {
        std::uint32_t whole = 0;
        bytes_ -= count;
        auto const finish = [&](Kind kind) {
            whole += kind == Kind::message;
            control_frames_ = static_cast<std::uint8_t>(control_frames_ - (kind == Kind::control));
        };
        while (count) {
            ws::Slice& first = at(0);
            if (partial_) {
                if (count < first.length) {
                    first.offset += count;
                    first.length -= count;
                    break;
                }
                count -= first.length;
                finish(partial_kind_);
                partial_ = false;
                erase(pool, 0);
                continue;
            }
            auto const length = static_cast<std::uint32_t>(ws::server_frame_size(first.data()));
            Kind const kind = ws::is_message_frame(first.data()) ? Kind::message : Kind::control;
            std::uint32_t const step = count < length ? count : length;
            if (step < length) {  // the cut is inside this frame: its rest becomes a slice of its own
                partial_ = true;
                partial_kind_ = kind;
                if (first.length > length) split(0, length);
            } else {
                finish(kind);
            }
            ws::Slice& front = at(0);
            front.offset += step;
            front.length -= step;
            count -= step;
            if (!front.length) erase(pool, 0);
        }
        messages_ -= whole;
        return whole;
    }

    std::uint32_t bytes_ = 0;
    std::uint32_t messages_ = 0;
    std::uint32_t held_ = 0;
    std::uint32_t nothing_of_ = no_memory;  ///< the topic of which nothing that is free was found
    std::uint16_t head_ = 0;
    std::uint16_t tail_ = 0;
    std::uint8_t capacity_class_ = 0;
    std::uint8_t control_frames_ = 0;
    bool partial_ = false;  ///< the first slice is the rest of a frame, or opaque
    Kind partial_kind_ = Kind::message;
    union {
        ws::Slice inside_[inside_capacity];
        ws::Slice* outside_;
    };
};

static_assert(sizeof(OutboundQueue) <= 72);

}  // namespace hubbub::inline v0
