#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

namespace hubbub::inline v0 {

/// How much memory hubs may use for what clients make them keep: queues, and messages that are not whole. It exists because a list
/// of limits multiplies with the number of clients, and a budget does not.
///
/// Give one to all hubs of a process (`HubOptions::memory`) and it is the process's. Above the high mark new connections are refused
/// with 503; above the limit the session that keeps most is closed with 1013, and so on until the high mark is reached.
///
/// Threading: any thread. Lifetime: shared by those whom it bounds.
/// Cost: shards settle once a turn, in steps of 64 KiB each, so the path of a message counts nothing. What is used is above the limit
/// by what one turn of each shard brings before it is settled, at most.
/// Example: `options.memory = std::make_shared<hubbub::MemoryBudget>(512u << 20);`
class MemoryBudget {
   public:
    static constexpr std::size_t usual = std::size_t{1} << 30;  ///< of a hub that is given none

    explicit MemoryBudget(std::size_t limit = usual) noexcept : limit_(limit) {}
    MemoryBudget(MemoryBudget const&) = delete;
    MemoryBudget& operator=(MemoryBudget const&) = delete;

    /// Bytes, as is all here.
    std::size_t limit() const noexcept { return limit_; }
    std::size_t high_mark() const noexcept { return limit_ - limit_ / 5; }
    std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
    bool is_high() const noexcept { return used() > high_mark(); }
    bool is_over() const noexcept { return used() > limit_; }

    /// Each shard of each hub that shares it is one account.
    void join() noexcept { accounts_.fetch_add(1, std::memory_order_relaxed); }
    void leave() noexcept { accounts_.fetch_sub(1, std::memory_order_relaxed); }
    /// What an account may have when there is too little for all.
    std::size_t part() const noexcept {
        return high_mark() / std::max<std::size_t>(1, accounts_.load(std::memory_order_relaxed));
    }
    void take(std::size_t bytes) noexcept { used_.fetch_add(bytes, std::memory_order_relaxed); }
    void give_back(std::size_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }

   private:
    std::size_t limit_;
    std::atomic<std::size_t> used_{0};
    std::atomic<std::size_t> accounts_{0};
};

}  // namespace hubbub::inline v0
