#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <hubbub/core/assert.hpp>
#include <hubbub/ws/block_pool.hpp>
#include <hubbub/ws/compressor.hpp>

namespace hubbub::inline v0 {

/// Messages of a turn: whole frames in blocks that never move, so that slices of them may be given out at any time.
struct RunSegment {
    ws::Block* block;
    std::uint32_t messages;
};

/// The open run of a topic as one variant gets it: the same messages in the same order, each compressed once, or plain where that
/// is not worth it. What the plain run calls its n-th message is the n-th here; their bytes have nothing in common.
///
/// Threading: its shard's.
class VariantRun {
   public:
    explicit VariantRun(std::uint8_t variant) noexcept : variant_(variant) {}

    std::uint8_t variant() const noexcept { return variant_; }

    /// Brings it up to the newest message of the plain run. Who was given something of that run may not see it overwritten.
    void fill(std::span<RunSegment const> plain, ws::Compressor& compressor, ws::BlockPool& pool);

    /// The block that has all of it, or null.
    ws::Block* whole() const noexcept { return segments_.size() == 1 ? segments_.front().block : nullptr; }

    /// Calls `visit(block, offset, length, messages)` for each piece of the messages from `from` up to `end`.
    template <class Visit>
    void each_piece(std::uint32_t from, std::uint32_t end, Visit&& visit) const {
        for (std::size_t i = 0; i < segments_.size() && from < end; ++i) {
            bool const last = i + 1 == segments_.size();
            std::uint32_t const segment_end = last ? messages() : segments_[i + 1].first;
            if (from >= segment_end) continue;
            std::uint32_t const piece_end = std::min(end, segment_end);
            ws::Block* const block = segments_[i].block;
            std::uint32_t const bytes_end = piece_end == segment_end ? block->size : offsets_[piece_end];
            visit(block, offsets_[from], bytes_end - offsets_[from], piece_end - from);
            from = piece_end;
        }
        HUBBUB_ASSERT(from == end);
    }

    /// The run is over.
    void clear(ws::BlockPool& pool) noexcept {
        for (Segment const& segment : segments_) pool.release(segment.block);
        segments_.clear();
        offsets_.clear();
        next_segment_ = next_offset_ = 0;
    }

   private:
    struct Segment {
        ws::Block* block;
        std::uint32_t first;  ///< message in it
    };
    static constexpr std::uint32_t smallest = 512;

    std::uint32_t messages() const noexcept { return static_cast<std::uint32_t>(offsets_.size()); }
    void add(ws::Block& plain, std::uint32_t offset, std::uint32_t length, ws::Compressor& compressor, ws::BlockPool& pool);
    /// A block with room for a frame of that many bytes.
    ws::Block& open(std::uint32_t bytes, ws::Block const& plain, ws::BlockPool& pool);

    std::uint8_t variant_;
    std::uint32_t next_segment_ = 0, next_offset_ = 0;  ///< of the plain run: what is not here yet
    std::vector<Segment> segments_;
    std::vector<std::uint32_t> offsets_;  ///< of each message's frame in its block
};

/// Which members of a topic are sent other frames than the plain ones, and those frames of its open run.
///
/// Lifetime: while there is such a member.
struct VariantRuns {
    std::vector<std::uint8_t> of_member;  ///< by its place in the topic
    std::size_t compressed = 0;           ///< members whose variant is not plain
    std::vector<VariantRun> runs;         ///< of variants that were needed; few

    /// The newest member's; there is room.
    void add(std::uint8_t variant) {
        of_member.push_back(variant);
        compressed += variant != ws::Compressor::plain;
    }
    VariantRun& run_of(std::uint8_t variant) {
        for (VariantRun& run : runs)
            if (run.variant() == variant) return run;
        return runs.emplace_back(variant);
    }
    void clear(ws::BlockPool& pool) noexcept {
        for (VariantRun& run : runs) run.clear(pool);
    }
};

inline void VariantRun::fill(std::span<RunSegment const> plain, ws::Compressor& compressor, ws::BlockPool& pool) {
    for (; next_segment_ < plain.size(); ++next_segment_, next_offset_ = 0) {
        ws::Block& block = *plain[next_segment_].block;
        while (next_offset_ < block.size) {
            auto const length = static_cast<std::uint32_t>(ws::server_frame_size(block.bytes + next_offset_));
            add(block, next_offset_, length, compressor, pool);
            next_offset_ += length;
        }
        if (next_segment_ + 1 == plain.size()) return;  // it may grow
    }
}

inline void VariantRun::add(ws::Block& plain, std::uint32_t offset, std::uint32_t length, ws::Compressor& compressor,
                            ws::BlockPool& pool) {
    std::byte const* const frame = plain.bytes + offset;
    std::size_t const header = ws::server_header_size(frame);
    auto const opcode = static_cast<ws::Opcode>(std::to_integer<unsigned>(frame[0]) & 0x0Fu);
    auto const body = compressor.compress(variant_, MessageView(opcode, {frame + header, length - header}));
    if (!body && plain.frame) {  // a large one is referred to here as well
        ++plain.references;
        segments_.push_back({&plain, messages()});
        offsets_.push_back(offset);
        return;
    }
    std::uint32_t const bytes = body ? static_cast<std::uint32_t>(ws::server_frame_size(body->size())) : length;
    ws::Block& block = open(bytes, plain, pool);
    std::byte* const out = block.bytes + block.size;
    if (body)
        ws::encode_server_frame(out, opcode, *body, true);
    else
        std::memcpy(out, frame, length);
    if (ws::MessageRecord const* const record = plain.records ? ws::BlockPool::record_at(&plain, offset) : nullptr) {
        ws::MessageRecord moved = *record;
        moved.offset = block.size;
        pool.note(&block, moved);
    }
    offsets_.push_back(block.size);
    block.size += bytes;
}

inline ws::Block& VariantRun::open(std::uint32_t bytes, ws::Block const& plain, ws::BlockPool& pool) {
    if (!segments_.empty()) {
        ws::Block& last = *segments_.back().block;
        if (last.capacity - last.size >= bytes) return last;  // one that is referred to is full
    }
    std::uint32_t const wanted = segments_.empty() ? plain.size / 2 : segments_.back().block->capacity * 2;
    std::uint32_t const size = std::max(bytes, std::clamp(wanted, smallest, ws::BlockPool::largest_segment));
    ws::Block* const block = pool.make(size, plain.topic);
    block->variant = variant_;
    block->position = plain.position;
    segments_.push_back({block, messages()});
    return *block;
}

}  // namespace hubbub::inline v0
