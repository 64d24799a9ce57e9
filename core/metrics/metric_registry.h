// SPDX-License-Identifier: Apache-2.0
//
// MetricRegistry: the metrics of a program, which appear on the page with
// Ringway's own.
//
//   static ringway::Counter hits =
//   *ringway::MetricRegistry::Default().AddCounter(
//       "cache_hits_total", "Keys found in the cache.", {{"cache", "users"}});
//   hits.Increment();

#ifndef RINGWAY_CORE_METRICS_METRIC_REGISTRY_H_
#define RINGWAY_CORE_METRICS_METRIC_REGISTRY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/metrics/cells.h"
#include "ringway/core/metrics/metric.h"
#include "ringway/core/metrics/metric_handles.h"
#include "ringway/core/metrics/metrics_text.h"

namespace ringway {

struct MetricLimits {
  MetricLimits() {}

  // Metrics of the registry: 1 to kMostMetricCells.
  uint32_t max_metrics = 1'000;
  // Sets of labels of one metric: 1 to kMostMetricCells.
  uint32_t max_label_sets = 100;
};

// InvalidArgument with the limit and its range if one is out of range.
absl::Status CheckMetricLimits(const MetricLimits& limits);

struct MetricRegistryStats {
  uint64_t metrics = 0;
  uint64_t label_sets = 0;  // of all metrics
  uint64_t refused = 0;     // for MetricLimits or kMostMetricCells
};

// The functions that add a metric:
//
// A metric may be added several times with different labels of the same names;
// its help, type and bounds must not change. Names that begin with "ringway_"
// or "process_" are Ringway's. Nothing is ever removed from a registry.
//
// Errors: InvalidArgument: the name, the help or a label (CheckMetric()), or
//         something differs from the metric of that name; AlreadyExists: the
//         metric has these labels already; ResourceExhausted naming the limit.
//         Each with the name of the metric.
// Cost:   a lock; allocates. For the start of a program.
//
// Threads: any.
class MetricRegistry {
 public:
  // The one whose metrics a Runtime's page has. Never destroyed. A forked child
  // has a copy, with the values that it had.
  static MetricRegistry& Default();

  // `limits` must be valid (checked).
  explicit MetricRegistry(const MetricLimits& limits = MetricLimits());
  MetricRegistry(const MetricRegistry&) = delete;
  MetricRegistry& operator=(const MetricRegistry&) = delete;

  absl::StatusOr<Counter> AddCounter(
      std::string_view name, std::string_view help,
      const std::vector<MetricLabel>& labels = {});
  absl::StatusOr<Gauge> AddGauge(std::string_view name, std::string_view help,
                                 const std::vector<MetricLabel>& labels = {});
  // `bounds` are the upper bounds of the buckets: 1 to kMostBounds, ascending,
  // finite.
  absl::StatusOr<Distribution> AddDistribution(
      std::string_view name, std::string_view help,
      std::span<const double> bounds = kDurationBounds,
      const std::vector<MetricLabel>& labels = {});
  static constexpr size_t kMostBounds = 64;

  // Adds all metrics to `page`, in the order of their names.
  //
  // Cost: holds the lock of all metrics meanwhile.
  void WriteTo(MetricsText& page) const;

  MetricRegistryStats stats() const;

 private:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  struct Series {
    Labels labels;  // in the order of their names
    std::shared_ptr<internal::CellRange> cells;
  };

  struct Metric {
    MetricType type;
    std::string help;
    std::shared_ptr<const std::vector<double>> bounds;  // of a distribution
    std::vector<Series> series;                         // at least one
  };

  // What Add() has made.
  struct Added {
    std::shared_ptr<internal::CellRange> cells;
    std::shared_ptr<const std::vector<double>> bounds;
  };

  absl::StatusOr<Added> Add(const MetricInfo& info,
                            std::span<const double> bounds,
                            std::span<const MetricLabel> labels);
  absl::Status CheckLimits(const Metric* existing) const;

  const MetricLimits limits_;
  // Under MetricsMutex().
  std::map<std::string, Metric, std::less<>> metrics_;
  uint64_t n_label_sets_ = 0;
  uint64_t n_refused_ = 0;
};

}  // namespace ringway

#endif  // RINGWAY_CORE_METRICS_METRIC_REGISTRY_H_
