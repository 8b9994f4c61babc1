#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <hubbub/core/clock.hpp>
#include <hubbub/core/unique_function.hpp>

namespace hubbub::inline v0 {

/// Functions that run at a time of their own: a binary heap. Equal times run in the order in which they were added.
///
/// Threading: its shard's. Cost: logarithmic to add and to run.
class Timers {
   public:
    void add(TimePoint when, UniqueFunction<void()> function) {
        heap_.push_back({when, ++serials_, std::move(function)});
        std::push_heap(heap_.begin(), heap_.end(), later);
    }
    TimePoint next() const noexcept { return heap_.empty() ? TimePoint::max() : heap_.front().when; }

    /// Runs what is due; what is added meanwhile waits for the next call.
    void run(TimePoint now) {
        while (!heap_.empty() && heap_.front().when <= now) {
            std::pop_heap(heap_.begin(), heap_.end(), later);
            due_.push_back(std::move(heap_.back()));
            heap_.pop_back();
        }
        for (Entry& entry : due_) entry.function();
        due_.clear();
    }

   private:
    struct Entry {
        TimePoint when;
        std::uint64_t serial;
        UniqueFunction<void()> function;
    };
    static bool later(Entry const& a, Entry const& b) noexcept {
        return a.when != b.when ? a.when > b.when : a.serial > b.serial;
    }

    std::vector<Entry> heap_;
    std::vector<Entry> due_;  ///< what runs now
    std::uint64_t serials_ = 0;
};

}  // namespace hubbub::inline v0
