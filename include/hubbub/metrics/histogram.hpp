#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace hubbub::inline v0 {

/// How often a value was within each of some bounds, and the sum of all values.
///
/// Threading: one thread. Cost: a search among the bounds, of some nanoseconds.
template <auto const& Bounds>
class Histogram {
   public:
    static constexpr std::size_t size = Bounds.size();

    void observe(std::uint64_t value, std::uint64_t times = 1) noexcept {
        std::size_t const at =
            value <= Bounds[0]
                ? 0  // where most of what is measured often is
                : static_cast<std::size_t>(std::lower_bound(Bounds.begin() + 1, Bounds.end(), value) - Bounds.begin());
        counts_[at] += times;
        sum_ += value * times;
    }
    /// In nanoseconds.
    void observe(std::chrono::nanoseconds duration) noexcept {
        observe(static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count())));
    }
    static constexpr auto const& bounds() noexcept { return Bounds; }
    /// Of values above the bound before and up to this one; the last is of those above all bounds.
    std::array<std::uint64_t, size + 1> const& counts() const noexcept { return counts_; }
    std::uint64_t sum() const noexcept { return sum_; }
    std::uint64_t count() const noexcept {
        std::uint64_t all = 0;
        for (std::uint64_t const each : counts_) all += each;
        return all;
    }
    /// The least bound that so much of all values are within, such as 0.99; 0 without values, and twice the last bound above all.
    std::uint64_t quantile(double part) const noexcept {
        double const wanted = part * static_cast<double>(count());
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < size; ++i) {
            seen += counts_[i];
            if (seen && static_cast<double>(seen) >= wanted) return Bounds[i];
        }
        return seen == 0 && counts_[size] == 0 ? 0 : Bounds[size - 1] * 2;
    }

    Histogram& operator+=(Histogram const& other) noexcept {
        for (std::size_t i = 0; i <= size; ++i) counts_[i] += other.counts_[i];
        sum_ += other.sum_;
        return *this;
    }
    /// What was observed since `before` was copied.
    Histogram operator-(Histogram const& before) const noexcept {
        Histogram result = *this;
        for (std::size_t i = 0; i <= size; ++i) result.counts_[i] -= before.counts_[i];
        result.sum_ -= before.sum_;
        return result;
    }

   private:
    std::array<std::uint64_t, size + 1> counts_{};
    std::uint64_t sum_ = 0;
};

/// From ten microseconds to ten seconds, in nanoseconds.
inline constexpr std::array<std::uint64_t, 19> duration_bounds{
    10'000,      25'000,        50'000,        100'000,       250'000,       500'000,     1'000'000,
    2'500'000,   5'000'000,     10'000'000,    25'000'000,    50'000'000,    100'000'000, 250'000'000,
    500'000'000, 1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000};
/// Bytes or messages, by powers of four.
inline constexpr std::array<std::uint64_t, 13> size_bounds{0,     1,      4,      16,      64,        256,      1'024,
                                                           4'096, 16'384, 65'536, 262'144, 1'048'576, 4'194'304};

using DurationHistogram = Histogram<duration_bounds>;
using SizeHistogram = Histogram<size_bounds>;

}  // namespace hubbub::inline v0
