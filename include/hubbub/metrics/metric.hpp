#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace hubbub::inline v0 {

enum class MetricType : std::uint8_t { counter, gauge, histogram };

/// A metric in the terms of Prometheus: a name, and samples that differ in their labels.
struct Metric {
    std::string_view name;  ///< such as hubbub_sessions
    std::string_view help;
    MetricType type;
};
struct MetricLabel {
    std::string_view name, value;
};
/// What a histogram counted. `unit` is what bounds and sum are multiplied with, to come to seconds or bytes.
struct HistogramSample {
    std::span<std::uint64_t const> bounds, counts;  ///< one count more than bounds; not cumulative
    std::uint64_t sum;
    double unit;
};

}  // namespace hubbub::inline v0
