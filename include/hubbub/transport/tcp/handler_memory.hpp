#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace hubbub::inline v0::detail {

/// Room for the one Asio operation that some object has outstanding. It exists because Asio recycles operations per thread
/// only: a post from another thread, and a thousand waits that end in one round, would go to the allocator each time.
///
/// Cost: an operation that doesn't fit, or a second one, takes an allocation.
class HandlerMemory {
   public:
    HandlerMemory() = default;
    HandlerMemory(HandlerMemory const&) = delete;
    HandlerMemory& operator=(HandlerMemory const&) = delete;

    void* take(std::size_t size) {
        if (size <= sizeof storage_ && !in_use_.exchange(true, std::memory_order_acquire)) return storage_;
        return ::operator new(size);
    }
    void give_back(void* memory) noexcept {
        if (memory == storage_)
            in_use_.store(false, std::memory_order_release);
        else
            ::operator delete(memory);
    }

   private:
    alignas(std::max_align_t) std::byte storage_[176];
    std::atomic<bool> in_use_{false};
};

/// Gives an Asio handler the memory of its object, which it keeps alive.
template <class T>
class HandlerAllocator {
   public:
    using value_type = T;

    explicit HandlerAllocator(std::shared_ptr<HandlerMemory> memory) noexcept : memory_(std::move(memory)) {}
    template <class U>
    HandlerAllocator(HandlerAllocator<U> const& other) noexcept : memory_(other.memory()) {}

    T* allocate(std::size_t count) { return static_cast<T*>(memory_->take(sizeof(T) * count)); }
    void deallocate(T* pointer, std::size_t) noexcept { memory_->give_back(pointer); }

    std::shared_ptr<HandlerMemory> const& memory() const noexcept { return memory_; }
    template <class U>
    bool operator==(HandlerAllocator<U> const& other) const noexcept {
        return memory_ == other.memory();
    }

   private:
    std::shared_ptr<HandlerMemory> memory_;
};

}  // namespace hubbub::inline v0::detail
