#pragma once

#include <cstddef>
#include <cstdint>

namespace hubbub::inline v0::ws {

/// What is optional about one message in a block, in the block's trailer, ordered by `offset`.
struct MessageRecord {
    std::uint32_t offset;  ///< of its frame in the block
    std::uint32_t reserved;
    std::uint64_t key;        ///< hash of its key, 0 for none
    std::int64_t expires_at;  ///< ticks of the loop's clock, 0 for never
};

/// Outbound bytes of one shard: whole frames, one behind the other.
///
/// Threading: belongs to one shard; its count is not atomic.
/// Lifetime: `BlockPool` makes and frees it; every Slice in a queue owns one reference.
struct Block {
    std::byte* bytes;  ///< behind this header, or inside a Frame that the block owns a reference of
    std::uint32_t references;
    std::uint32_t size;  ///< bytes in use
    std::uint32_t capacity;
    std::uint32_t topic;     ///< index of the topic in its shard; `no_topic` for direct sends
    std::uint64_t position;  ///< of the first message in the topic's order
    void* frame;             ///< reference that is owned (see Frame::release), or null
    Block* trailer;          ///< holds `records` MessageRecords, or null
    std::uint32_t records;
    std::uint8_t size_class;
    bool is_arena;         ///< shared by a turn's direct sends: may not be pinned past the turn
    std::uint8_t variant;  ///< which codec and compression its frames have

    static constexpr std::uint32_t no_topic = ~0u;
    static constexpr std::uint32_t of_hub = no_topic - 2;  ///< what the hub itself says: no overflow takes it for a topic's
};

/// A range of a block: whole frames, except that the first of a queue may be the rest of one.
struct Slice {
    Block* block;
    std::uint32_t offset;
    std::uint32_t length;

    std::byte* data() const noexcept { return block->bytes + offset; }
};

}  // namespace hubbub::inline v0::ws
