#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include <hubbub/ws/block_pool.hpp>

namespace hubbub::inline v0::ws {

/// Bytes that grow by appending, in memory of a pool, if it is given one. Unlike a vector it fills nothing in advance, says when there
/// is no memory, and is never larger than what it will have to be, or, in a pool, than the next power of two.
///
/// Lifetime: the pool outlives it.
class ByteBuffer {
   public:
    ByteBuffer() noexcept = default;
    explicit ByteBuffer(BlockPool* pool) noexcept : pool_(pool) {}
    ByteBuffer(ByteBuffer&& other) noexcept
        : pool_(other.pool_),
          data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, 0)) {}
    ByteBuffer& operator=(ByteBuffer other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }
    ~ByteBuffer() { free(); }

    std::byte* data() noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    std::size_t capacity() const noexcept { return capacity_; }
    std::span<std::byte> bytes() noexcept { return {data_, size_}; }

    /// False: there is no memory, and nothing was appended. `expected` is the size that will be enough in the end.
    /// Cost: at most twice what is in it is allocated, whatever is expected; so a peer cannot announce memory away.
    bool append(std::span<std::byte const> more, std::size_t expected) noexcept {
        if (more.empty()) return true;
        if (more.size() > capacity_ - size_ && !grow(size_ + more.size(), expected)) return false;
        std::memcpy(data_ + size_, more.data(), more.size());
        size_ += more.size();
        return true;
    }

    /// `size` is at most what is in it.
    void truncate(std::size_t size) noexcept { size_ = size; }

   private:
    bool grow(std::size_t needed, std::size_t expected) noexcept {
        std::size_t wanted = std::max(needed, std::min(std::max(capacity_, needed) * 2, expected));
        std::byte* data;
        if (pool_) {
            auto const memory = pool_->take_plain(needed);  // a power of two: more than enough of what was not asked for
            data = memory.data();
            wanted = memory.size();
        } else {
            data = static_cast<std::byte*>(::operator new(wanted, std::nothrow));
        }
        if (!data) return false;
        if (size_ != 0) std::memcpy(data, data_, size_);
        free();
        data_ = data;
        capacity_ = wanted;
        return true;
    }
    void free() noexcept {
        if (!data_) return;
        if (pool_)
            pool_->give_plain({data_, capacity_});
        else
            ::operator delete(data_);
    }

    BlockPool* pool_ = nullptr;
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace hubbub::inline v0::ws
