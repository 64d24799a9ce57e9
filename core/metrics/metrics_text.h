// SPDX-License-Identifier: Apache-2.0
//
// MetricsText: writes metrics in the Prometheus text format, version 0.0.4.
//
//   MetricsText page;
//   page.Begin({"cache_hits_total", MetricType::kCounter, "", "Found keys."});
//   page.Add({}, uint64_t{7});
//   std::string text = page.Take();

#ifndef RINGWAY_CORE_METRICS_METRICS_TEXT_H_
#define RINGWAY_CORE_METRICS_METRICS_TEXT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "ringway/core/metrics/metric.h"

namespace ringway {

// The content type of such a page.
inline constexpr std::string_view kMetricsTextType =
    "text/plain; version=0.0.4; charset=utf-8";

// How many values lie in each bucket of a histogram; not cumulative.
struct MetricBuckets {
  std::span<const double> bounds;    // upper ones, ascending, all finite
  std::span<const uint64_t> counts;  // one more: of the values beyond
  double sum = 0;                    // of the values
};

// One thread at a time. Does not check names (metric.h).
class MetricsText {
 public:
  // Begins a metric, which the values added next belong to. Each metric once.
  void Begin(const MetricInfo& info);

  // Adds a value with these labels; each set of labels once.
  void Add(std::span<const MetricLabel> labels, uint64_t value);
  void Add(std::span<const MetricLabel> labels, double value);
  // For a histogram. Aborts unless there is one more count than bounds.
  void Add(std::span<const MetricLabel> labels, const MetricBuckets& buckets);

  const std::string& text() const { return text_; }
  // The page; this is empty then.
  std::string Take() { return std::exchange(text_, std::string()); }

 private:
  void AddLine(std::string_view suffix, std::span<const MetricLabel> labels,
               std::string_view bound, std::string_view value);

  std::string text_;
  std::string name_;  // of the metric that was begun
};

}  // namespace ringway

#endif  // RINGWAY_CORE_METRICS_METRICS_TEXT_H_
