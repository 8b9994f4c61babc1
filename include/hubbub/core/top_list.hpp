#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace hubbub::inline v0 {

/// The first so many of all that it is shown: by default the greatest.
///
/// Cost: a comparison for each that is not among them, else logarithmic in how many they are.
template <class T, class Before = std::greater<T>>
class TopList {
   public:
    explicit TopList(std::size_t most) : most_(most) {}

    void show(T const& value) {
        if (most_ == 0) return;
        if (all_.size() == most_) {  // a heap, with the last of them on top
            if (!before_(value, all_.front())) return;
            std::pop_heap(all_.begin(), all_.end(), before_);
            all_.pop_back();
        }
        all_.push_back(value);
        std::push_heap(all_.begin(), all_.end(), before_);
    }
    /// The first one first.
    std::vector<T> take() && {
        std::sort_heap(all_.begin(), all_.end(), before_);
        return std::move(all_);
    }

   private:
    std::size_t most_;
    Before before_{};
    std::vector<T> all_;
};

}  // namespace hubbub::inline v0
