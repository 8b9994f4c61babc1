#pragma once

#include <algorithm>
#include <cstddef>

#include <hubbub/core/assert.hpp>

namespace hubbub::inline v0 {

/// Bytes of memory that one shard's pools have in use, so that a budget can be held against it.
///
/// Threading: one shard.
class Ledger {
   public:
    void charge(std::size_t bytes) noexcept {
        used_ += bytes;
        peak_ = std::max(peak_, used_);
    }
    void release(std::size_t bytes) noexcept {
        HUBBUB_ASSERT(bytes <= used_);
        used_ -= bytes;
    }
    std::size_t used() const noexcept { return used_; }

    /// The highest use since the last call; the next peak begins at what is used now.
    std::size_t take_peak() noexcept {
        std::size_t const peak = peak_;
        peak_ = used_;
        return peak;
    }

   private:
    std::size_t used_ = 0;
    std::size_t peak_ = 0;
};

}  // namespace hubbub::inline v0
