#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <hubbub/metrics/metric_sink.hpp>

namespace hubbub::inline v0 {

/// Metrics as prometheus-cpp has them, and as the text that a Prometheus server reads (exposition format 0.0.4). It is prometheus-cpp's
/// serializer that escapes names and writes numbers.
///
/// Threading: one thread. Cost: some allocations a sample; not for the loop of a busy shard more than once in a few seconds.
class PrometheusText {
   public:
    static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

    void begin(Metric const& metric) {
        prometheus::MetricFamily& family = families_.emplace_back();
        family.name = metric.name;
        family.help = metric.help;
        family.type = type_of(metric.type);
    }
    void sample(std::span<MetricLabel const> labels, double value) {
        prometheus::MetricFamily& family = families_.back();
        prometheus::ClientMetric& metric = add(labels);
        (family.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    }
    void histogram(std::span<MetricLabel const> labels, HistogramSample const& sample) {
        prometheus::ClientMetric::Histogram& histogram = add(labels).histogram;
        std::uint64_t up_to = 0;
        for (std::size_t i = 0; i < sample.counts.size(); ++i) {
            up_to += sample.counts[i];
            double const bound = i < sample.bounds.size() ? static_cast<double>(sample.bounds[i]) * sample.unit
                                                          : std::numeric_limits<double>::infinity();
            histogram.bucket.push_back({up_to, bound});
        }
        histogram.sample_count = up_to;
        histogram.sample_sum = static_cast<double>(sample.sum) * sample.unit;
    }

    /// For who has a registry of prometheus-cpp: what `Collectable::Collect` returns.
    std::vector<prometheus::MetricFamily> const& families() const noexcept { return families_; }
    std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

   private:
    static prometheus::MetricType type_of(MetricType type) noexcept {
        switch (type) {
            case MetricType::counter: return prometheus::MetricType::Counter;
            case MetricType::gauge: return prometheus::MetricType::Gauge;
            case MetricType::histogram: break;
        }
        return prometheus::MetricType::Histogram;
    }
    prometheus::ClientMetric& add(std::span<MetricLabel const> labels) {
        prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
        for (MetricLabel const& each : labels) metric.label.push_back({std::string(each.name), std::string(each.value)});
        return metric;
    }

    std::vector<prometheus::MetricFamily> families_;
};
static_assert(MetricSink<PrometheusText>);

}  // namespace hubbub::inline v0
