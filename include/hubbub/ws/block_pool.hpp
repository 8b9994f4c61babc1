#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include <hubbub/core/assert.hpp>
#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/ledger.hpp>
#include <hubbub/ws/block.hpp>
#include <hubbub/ws/frame.hpp>

namespace hubbub::inline v0::ws {

/// Makes and frees the blocks of one shard, and its other buffers, from free lists by size class.
///
/// Threading: one shard.
/// Lifetime: outlives its blocks.
/// Cost: nothing from the allocator in steady state; blocks over 64 KiB are never pooled.
class BlockPool {
   public:
    /// A block of this much memory, its header included, is the largest that is pooled.
    static constexpr std::size_t largest_pooled = 64 * 1024;
    static constexpr std::uint32_t largest_segment = static_cast<std::uint32_t>(largest_pooled - sizeof(Block));

    BlockPool() = default;
    BlockPool(BlockPool const&) = delete;
    BlockPool& operator=(BlockPool const&) = delete;
    ~BlockPool() { trim_all(); }

    /// An empty block with room for at least `bytes`, and one reference, which is the caller's.
    Block* make(std::size_t bytes, std::uint32_t topic = Block::no_topic) {
        std::size_t const size_class = class_of(bytes + sizeof(Block));
        void* const memory = take(size_class);
        if (!memory) hubbub::detail::throw_exception(std::bad_alloc());
        auto* bytes_of = static_cast<std::byte*>(memory) + sizeof(Block);
        auto const capacity = static_cast<std::uint32_t>((std::size_t{1} << size_class) - sizeof(Block));
        return ::new (memory)
            Block{bytes_of, 1, 0, capacity, topic, 0, nullptr, nullptr, 0, static_cast<std::uint8_t>(size_class), false, 0};
    }

    /// Memory without a header from the same lists, for what is not shared: a power of two of at least `bytes`. Empty: there is none.
    std::span<std::byte> take_plain(std::size_t bytes) noexcept {
        std::size_t const size_class = class_of(bytes);
        auto* const memory = static_cast<std::byte*>(take(size_class));
        if (!memory) return {};
        plain_ += std::size_t{1} << size_class;
        return {memory, std::size_t{1} << size_class};
    }
    void give_plain(std::span<std::byte> memory) noexcept {
        plain_ -= memory.size();
        put_back(memory.data(), class_of(memory.size()));
    }

    /// A block that refers to a frame's bytes instead of copying them; it owns one reference of the frame.
    Block* refer(Frame frame, std::uint32_t topic = Block::no_topic) {
        Block* block = make(0, topic);
        auto const wire = frame.wire();
        block->bytes = const_cast<std::byte*>(wire.data());  // never written: only an open segment or the arena is
        block->size = block->capacity = static_cast<std::uint32_t>(wire.size());
        referenced_ += block->capacity;
        block->frame = std::move(frame).release();
        return block;
    }

    /// A copy of a part of a block, in a block of its own that has room for just that.
    Block* copy(Slice const& from) {
        Block* block = make(from.length, from.block->topic);
        std::memcpy(block->bytes, from.data(), from.length);
        block->size = from.length;
        block->variant = from.block->variant;
        block->position = from.block->position;
        for (MessageRecord const& record : records(from.block))
            if (record.offset >= from.offset && record.offset - from.offset < from.length) {
                MessageRecord moved = record;
                moved.offset -= from.offset;
                note(block, moved);
            }
        return block;
    }

    void release(Block* block) noexcept {
        HUBBUB_ASSERT(block->references > 0);
        if (--block->references == 0) free(block);
    }

    /// Adds a record about the newest message of `block`.
    void note(Block* block, MessageRecord const& record) {
        std::size_t const bytes = (block->records + std::size_t{1}) * sizeof(MessageRecord);
        if (!block->trailer || block->trailer->capacity < bytes) {
            Block* grown = make(bytes * 2);
            if (block->trailer) {
                std::memcpy(grown->bytes, block->trailer->bytes, bytes - sizeof(MessageRecord));
                release(block->trailer);
            }
            block->trailer = grown;
        }
        std::memcpy(block->trailer->bytes + block->records * sizeof(MessageRecord), &record, sizeof record);
        ++block->records;
    }

    static std::span<MessageRecord const> records(Block const* block) noexcept {
        if (!block->records) return {};
        return {reinterpret_cast<MessageRecord const*>(block->trailer->bytes), block->records};
    }

    /// The record of the message whose frame begins at `offset`, or null.
    static MessageRecord const* record_at(Block const* block, std::uint32_t offset) noexcept {
        auto const all = records(block);
        auto const found = std::lower_bound(all.begin(), all.end(), offset,
                                            [](MessageRecord const& record, std::uint32_t at) { return record.offset < at; });
        return found != all.end() && found->offset == offset ? &*found : nullptr;
    }

    /// Gives back all that is free.
    void trim_all() noexcept {
        for (std::size_t size_class = classes; size_class-- > smallest;)
            while (free_[size_class]) give_back(size_class);
    }

    /// The first record of a message of `slice` for which `matches(record)`, or null.
    template <class Matches>
    static MessageRecord const* find_record(Slice const& slice, Matches&& matches) noexcept {
        auto const all = records(slice.block);
        auto record =
            std::partition_point(all.begin(), all.end(), [&](MessageRecord const& each) { return each.offset < slice.offset; });
        for (; record != all.end() && record->offset - slice.offset < slice.length; ++record)
            if (matches(*record)) return &*record;
        return nullptr;
    }

    /// Gives memory back that recent peaks did not need. Called on a slow tick.
    void trim() noexcept {
        recent_peak_ = std::max(ledger_.take_peak(), recent_peak_ - recent_peak_ / 8);
        for (std::size_t size_class = classes; size_class-- > smallest;)
            while (free_[size_class] && ledger_.used() + free_bytes_ > 2 * recent_peak_) give_back(size_class);
    }

    Ledger const& ledger() const noexcept { return ledger_; }
    std::size_t free_bytes() const noexcept { return free_bytes_; }
    /// All memory that is here because of this pool: blocks, free memory too, and the frames that blocks refer to, which other shards
    /// may count as well. Without what was taken plain: whoever has it counts it.
    std::size_t footprint() const noexcept { return ledger_.used() - plain_ + free_bytes_ + referenced_; }
    /// Calls of the allocator so far.
    std::uint64_t allocations() const noexcept { return allocations_; }

   private:
    struct Free {
        Free* next;
    };
    static constexpr std::size_t smallest = 7;  // 128 bytes: header and a small frame
    static constexpr std::size_t classes = 40;

    void free(Block* block) noexcept {
        if (block->trailer) release(block->trailer);
        if (block->frame) {
            referenced_ -= block->capacity;
            Frame::adopt(block->frame);
        }
        put_back(block, block->size_class);
    }
    static constexpr std::size_t class_of(std::size_t bytes) noexcept {
        auto const size_class = std::max<std::size_t>(static_cast<std::size_t>(std::bit_width(bytes - 1)), smallest);
        HUBBUB_ASSERT(size_class < classes);
        return size_class;
    }
    /// Null: there is none.
    void* take(std::size_t size_class) noexcept {
        void* memory = free_[size_class];
        if (memory) {
            free_[size_class] = free_[size_class]->next;
            free_bytes_ -= std::size_t{1} << size_class;
        } else {
            memory = ::operator new(std::size_t{1} << size_class, std::nothrow);
            if (!memory) return nullptr;
            ++allocations_;
        }
        ledger_.charge(std::size_t{1} << size_class);
        return memory;
    }
    void put_back(void* memory, std::size_t size_class) noexcept {
        ledger_.release(std::size_t{1} << size_class);
        if (std::size_t{1} << size_class > largest_pooled) {
            ::operator delete(memory);
            return;
        }
        free_[size_class] = ::new (memory) Free{free_[size_class]};
        free_bytes_ += std::size_t{1} << size_class;
    }
    void give_back(std::size_t size_class) noexcept {
        Free* head = free_[size_class];
        free_[size_class] = head->next;
        free_bytes_ -= std::size_t{1} << size_class;
        ::operator delete(head);
    }

    Free* free_[classes] = {};
    std::size_t free_bytes_ = 0;
    std::size_t referenced_ = 0;
    std::size_t plain_ = 0;
    std::size_t recent_peak_ = 0;
    std::uint64_t allocations_ = 0;
    Ledger ledger_;
};

}  // namespace hubbub::inline v0::ws
