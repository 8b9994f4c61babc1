#include <hubbub/metrics/histogram.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;

namespace histograms {
inline constexpr std::array<std::uint64_t, 3> bounds{10, 20, 50};
using Small = Histogram<bounds>;
}  // namespace histograms

TEST_CASE("A value counts for the first bound that it does not exceed") {
    histograms::Small histogram;
    for (std::uint64_t const value : {0u, 10u, 11u, 20u, 50u, 51u, 1000u}) histogram.observe(value);
    CHECK(histogram.counts() == std::array<std::uint64_t, 4>{2, 2, 1, 2});
    CHECK(histogram.count() == 7);
    CHECK(histogram.sum() == 1142);
    histogram.observe(15, 3);
    CHECK(histogram.counts() == std::array<std::uint64_t, 4>{2, 5, 1, 2});
    CHECK(histogram.sum() == 1187);
}

TEST_CASE("Histograms add up, and their difference is what came between") {
    histograms::Small before;
    before.observe(5);
    histograms::Small after = before;
    after.observe(15);
    after.observe(60);
    histograms::Small const between = after - before;
    CHECK(between.counts() == std::array<std::uint64_t, 4>{0, 1, 0, 1});
    CHECK(between.sum() == 75);
    histograms::Small sum = before;
    sum += between;
    CHECK(sum.counts() == after.counts());
    CHECK(sum.sum() == after.sum());
}

TEST_CASE("A quantile is the bound that so much is within") {
    histograms::Small histogram;
    CHECK(histogram.quantile(0.5) == 0);
    for (int i = 0; i < 90; ++i) histogram.observe(1);
    for (int i = 0; i < 10; ++i) histogram.observe(30);
    CHECK(histogram.quantile(0.5) == 10);
    CHECK(histogram.quantile(0.9) == 10);
    CHECK(histogram.quantile(0.91) == 50);
    histogram.observe(1000);
    CHECK(histogram.quantile(1) == 100);
}

TEST_CASE("Durations are counted in nanoseconds, and none is negative") {
    DurationHistogram histogram;
    histogram.observe(std::chrono::milliseconds(2));
    histogram.observe(std::chrono::nanoseconds(-5));
    CHECK(histogram.sum() == 2'000'000);
    CHECK(histogram.count() == 2);
    CHECK(histogram.quantile(1) == 2'500'000);
}
