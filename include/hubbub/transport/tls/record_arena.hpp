#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace hubbub::inline v0::detail {

/// Where the records of one loop are written, one contiguous piece for each write. A piece stays where it is until `clear`, because
/// an engine may read it at the commit, unless it is dropped before the next one begins.
///
/// Cost: where pieces are dropped, the memory that the longest of them has touched; else 256 KiB for as much as leaves in a turn.
class RecordArena {
   public:
    void begin() noexcept { begin_ = end_; }
    void append(std::span<std::byte const> bytes) {
        if (bytes.empty()) return;
        std::memcpy(room(bytes.size()).data(), bytes.data(), bytes.size());
        advance(bytes.size());
    }
    /// To append in place: room for `most` bytes, of which `advance` takes some.
    std::span<std::byte> room(std::size_t most) {
        if (blocks_.empty() || block().capacity - end_ < most) move_to_next(most);
        return {block().bytes.get() + end_, most};
    }
    void advance(std::size_t size) noexcept { end_ += size; }
    /// What was appended since `begin`.
    std::span<std::byte const> piece() const noexcept {
        if (begin_ == end_) return {};
        return {blocks_[current_].bytes.get() + begin_, end_ - begin_};
    }
    void drop_piece() noexcept { end_ = begin_; }

    /// There is much in it: a commit would help.
    bool is_full() const noexcept { return current_ + 1 >= most_kept; }
    /// No piece is needed any more.
    void clear() {
        begin_ = end_ = current_ = 0;
        std::erase_if(blocks_, [](Block const& each) { return each.capacity > block_size; });
        if (blocks_.size() > most_kept) blocks_.resize(most_kept);
    }

   private:
    static constexpr std::size_t block_size = 256 * 1024;
    static constexpr std::size_t most_kept = 8;

    struct Block {
        std::unique_ptr<std::byte[]> bytes;
        std::size_t capacity = 0;
    };

    Block& block() noexcept { return blocks_[current_]; }

    /// Takes the piece that has begun along.
    void move_to_next(std::size_t more) {
        std::size_t const size = end_ - begin_;
        std::size_t const next = blocks_.empty() ? 0 : current_ + 1;
        if (next == blocks_.size() || blocks_[next].capacity < size + more) {
            std::size_t const capacity = size + more <= block_size ? block_size : (size + more) * 2;
            blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(next),
                           {std::make_unique_for_overwrite<std::byte[]>(capacity), capacity});
        }
        if (size > 0) std::memcpy(blocks_[next].bytes.get(), block().bytes.get() + begin_, size);
        current_ = next;
        begin_ = 0;
        end_ = size;
    }

    std::vector<Block> blocks_;
    std::size_t current_ = 0;
    std::size_t begin_ = 0, end_ = 0;
};

}  // namespace hubbub::inline v0::detail
