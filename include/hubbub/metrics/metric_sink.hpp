#pragma once

#include <span>

#include <hubbub/metrics/metric.hpp>

namespace hubbub::inline v0 {

/// Takes metrics down: as text for a monitor, as a table for a page. It exists so that what is measured is listed once.
///
/// Exemplar:
///     struct MetricSinkExemplar {
///         void begin(Metric const&);                                             // the samples that follow are its
///         void sample(std::span<MetricLabel const>, double value);
///         void histogram(std::span<MetricLabel const>, HistogramSample const&);
///     };
///
/// Required behaviour: what it is given is borrowed until the call returns.
///
/// Models: PrometheusText.
template <class T>
concept MetricSink =
    requires(T& sink, Metric const& metric, std::span<MetricLabel const> labels, HistogramSample const& histogram) {
        sink.begin(metric);
        sink.sample(labels, 1.0);
        sink.histogram(labels, histogram);
    };

}  // namespace hubbub::inline v0
