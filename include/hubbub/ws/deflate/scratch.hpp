#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

#include <hubbub/core/ledger.hpp>

namespace hubbub::inline v0::ws {

/// Room for what is being made, used again for the next; charged to a ledger.
///
/// Threading: the ledger's.
class Scratch {
   public:
    explicit Scratch(Ledger& ledger) noexcept : ledger_(&ledger) {}
    Scratch(Scratch const&) = delete;
    Scratch& operator=(Scratch const&) = delete;
    ~Scratch() { free(); }

    std::byte* data() noexcept { return data_; }
    std::size_t capacity() const noexcept { return capacity_; }

    /// Room for `capacity` bytes, of which the first `used` are kept. False: there is no memory, and nothing has changed.
    bool reserve(std::size_t capacity, std::size_t used) noexcept {
        if (capacity <= capacity_) return true;
        auto* const grown = static_cast<std::byte*>(::operator new(capacity, std::nothrow));
        if (!grown) return false;
        if (used != 0) std::memcpy(grown, data_, used);
        free();
        data_ = grown;
        capacity_ = capacity;
        ledger_->charge(capacity);
        return true;
    }
    void free() noexcept {
        ::operator delete(std::exchange(data_, nullptr));
        ledger_->release(std::exchange(capacity_, 0));
    }

   private:
    Ledger* ledger_;
    std::byte* data_ = nullptr;
    std::size_t capacity_ = 0;
};

}  // namespace hubbub::inline v0::ws
