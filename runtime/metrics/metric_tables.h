// SPDX-License-Identifier: Apache-2.0
//
// The metrics of a runtime: one table for each struct of counters. A member
// that is in no table, or in two, does not compile.

#ifndef RINGWAY_RUNTIME_METRICS_METRIC_TABLES_H_
#define RINGWAY_RUNTIME_METRICS_METRIC_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "ringway/backends/backend.h"
#include "ringway/core/memory/frame_allocator.h"
#include "ringway/core/metrics/metric.h"
#include "ringway/core/metrics/metric_registry.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/tls/tls_statistics.h"
#include "ringway/pools/job_pool.h"
#include "ringway/pools/resolver/host_resolver.h"
#include "ringway/runtime/host/process_stats.h"
#include "ringway/runtime/metrics/runtime_snapshot.h"

namespace ringway::internal {

// A metric and the member of `Stats` with its value.
template <typename Stats>
struct MemberMetric {
  constexpr MemberMetric(MetricInfo i, uint64_t Stats::*m)
      : info(i), number(m) {}
  constexpr MemberMetric(MetricInfo i, absl::Duration Stats::*m)
      : info(i), duration(m) {}

  MetricInfo info;
  uint64_t Stats::*number = nullptr;
  absl::Duration Stats::*duration = nullptr;  // one of the two
};

constexpr MetricInfo Total(std::string_view name, std::string_view help) {
  return {name, MetricType::kCounter, "", help};
}
constexpr MetricInfo TotalIn(std::string_view unit, std::string_view name,
                             std::string_view help) {
  return {name, MetricType::kCounter, unit, help};
}
constexpr MetricInfo Now(std::string_view name, std::string_view help) {
  return {name, MetricType::kGauge, "", help};
}
constexpr MetricInfo NowIn(std::string_view unit, std::string_view name,
                           std::string_view help) {
  return {name, MetricType::kGauge, unit, help};
}
constexpr MetricInfo Seconds(std::string_view name, std::string_view help) {
  return {name, MetricType::kHistogram, "seconds", help};
}

template <typename Stats>
using MetricTable = std::span<const MemberMetric<Stats>>;

// Of WorkerCounters, but for ended_by_code.
extern const MetricTable<WorkerCounters> kWorkerMetrics;
extern const MetricTable<ExecutorStats> kTaskMetrics;
extern const MetricTable<FrameAllocator::Stats> kFrameMetrics;
extern const MetricTable<LoopStats> kLoopMetrics;
// But for zero_copy_forsaken.
extern const MetricTable<BackendStats> kBackendMetrics;
extern const MetricTable<ReceiveMemory> kReceiveMetrics;
extern const MetricTable<JobPoolStats> kPoolMetrics;
extern const MetricTable<HostResolverStats> kResolverMetrics;
extern const MetricTable<net::TlsStatistics> kTlsMetrics;
extern const MetricTable<MetricRegistryStats> kRegistryMetrics;
// By the names that Prometheus' own clients have for them.
extern const MetricTable<ProcessStats> kProcessMetrics;

// A histogram and the member with its values, of all workers together.
struct HistogramMetric {
  MetricInfo info;
  Histogram WorkerHistograms::*histogram;
};
extern const std::span<const HistogramMetric> kHistogramMetrics;

// What is no number of a struct.
inline constexpr MetricInfo kWorkerUp =
    Now("ringway_worker_up",
        "1 if the worker answered; if it is 0, its other values are missing.");
inline constexpr MetricInfo kWorkerInfo =
    Now("ringway_worker_info", "1; the label is the backend that it uses.");
inline constexpr MetricInfo kEndedByCode =
    Total("ringway_connections_ended_total",
          "Connection handlers that returned, by the code of their status.");

// All of these, as a document shows them.
struct MetricSection {
  std::string_view title;
  std::string_view label;  // that each metric has; empty if there is none
  std::vector<MetricInfo> metrics;
};
std::vector<MetricSection> RuntimeMetricSections();

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_METRICS_METRIC_TABLES_H_
