#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include <hubbub/core/memory_budget.hpp>

namespace hubbub::inline v0 {

/// What one shard has of a MemoryBudget.
///
/// Threading: its shard's. Cost: a comparison, as long as the use stays within a step.
class MemoryAccount {
   public:
    static constexpr std::size_t step = 64 * 1024;

    explicit MemoryAccount(std::shared_ptr<MemoryBudget> budget) : budget_(std::move(budget)) { budget_->join(); }
    MemoryAccount(MemoryAccount const&) = delete;
    MemoryAccount& operator=(MemoryAccount const&) = delete;
    ~MemoryAccount() {
        budget_->give_back(taken_);
        budget_->leave();
    }

    /// The shard uses so much now.
    void settle(std::size_t used) noexcept {
        if (used <= taken_ && taken_ - used < 2 * step) return;
        std::size_t const wanted = used ? (used / step + 1) * step : 0;
        if (wanted > taken_)
            budget_->take(wanted - taken_);
        else
            budget_->give_back(taken_ - wanted);
        taken_ = wanted;
    }
    /// How much this shard is to free at once: nothing, unless the budget is exceeded and this shard has more than its part of it.
    std::size_t excess() const noexcept {
        std::size_t const used = budget_->used(), part = budget_->part();
        if (used <= budget_->limit() || taken_ <= part) return 0;
        return std::min(used - budget_->high_mark(), taken_ - part);
    }
    MemoryBudget const& budget() const noexcept { return *budget_; }

   private:
    std::shared_ptr<MemoryBudget> budget_;
    std::size_t taken_ = 0;
};

}  // namespace hubbub::inline v0
