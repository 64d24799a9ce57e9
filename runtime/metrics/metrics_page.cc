// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/metrics/metrics_page.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ringway/core/metrics/metric.h"
#include "ringway/core/metrics/metrics_text.h"
#include "ringway/net/tls/tls_statistics.h"
#include "ringway/runtime/metrics/metric_tables.h"

namespace ringway {
namespace {

// Counters with their label, which is empty if there is none.
template <typename Stats>
using LabelledStats = std::vector<std::pair<std::string, const Stats*>>;

template <typename Stats>
void WriteTable(internal::MetricTable<Stats> table, std::string_view label_name,
                const LabelledStats<Stats>& all, MetricsText& page) {
  if (all.empty()) return;
  for (const internal::MemberMetric<Stats>& metric : table) {
    page.Begin(metric.info);
    for (const auto& [label_value, stats] : all) {
      const MetricLabel label{label_name, label_value};
      const std::span<const MetricLabel> labels(&label,
                                                label_name.empty() ? 0 : 1);
      if (metric.number != nullptr) {
        page.Add(labels, stats->*metric.number);
      } else {
        page.Add(labels, absl::ToDoubleSeconds(stats->*metric.duration));
      }
    }
  }
}

void WriteWorkersUp(const RuntimeSnapshot& snapshot, MetricsText& page) {
  page.Begin(internal::kWorkerUp);
  for (size_t i = 0; i < snapshot.workers.size(); ++i) {
    const std::string worker = absl::StrCat(i);
    const std::array<MetricLabel, 1> labels = {MetricLabel{"worker", worker}};
    page.Add(labels, uint64_t{snapshot.workers[i].has_value()});
  }
  page.Begin(internal::kWorkerInfo);
  for (size_t i = 0; i < snapshot.workers.size(); ++i) {
    if (!snapshot.workers[i].has_value()) continue;
    const std::string worker = absl::StrCat(i);
    const std::array<MetricLabel, 2> labels = {
        MetricLabel{"worker", worker},
        MetricLabel{"backend", snapshot.workers[i]->backend}};
    page.Add(labels, uint64_t{1});
  }
}

void WriteEndedByCode(const LabelledStats<WorkerCounters>& workers,
                      MetricsText& page) {
  page.Begin(internal::kEndedByCode);
  for (const auto& [worker, counters] : workers) {
    for (size_t i = 0; i < counters->ended_by_code.size(); ++i) {
      const std::string code =
          absl::StatusCodeToString(static_cast<absl::StatusCode>(i));
      const std::array<MetricLabel, 2> labels = {MetricLabel{"worker", worker},
                                                 MetricLabel{"code", code}};
      page.Add(labels, counters->ended_by_code[i]);
    }
  }
}

void WriteHistogram(const MetricInfo& info, const Histogram& histogram,
                    MetricsText& page) {
  std::array<uint64_t, kDurationBounds.size() + 1> counts;
  uint64_t n_before = 0;
  for (size_t i = 0; i < kDurationBounds.size(); ++i) {
    const uint64_t n = histogram.CountAtMost(
        static_cast<uint64_t>(std::llround(kDurationBounds[i] * 1e9)));
    counts[i] = n - n_before;
    n_before = n;
  }
  counts.back() = histogram.count() - n_before;
  page.Begin(info);
  page.Add({}, MetricBuckets{kDurationBounds, counts, histogram.sum() / 1e9});
}

void WriteHistograms(const RuntimeSnapshot& snapshot, MetricsText& page) {
  for (const internal::HistogramMetric& metric : internal::kHistogramMetrics) {
    Histogram sum;
    for (const std::optional<WorkerSnapshot>& worker : snapshot.workers) {
      if (worker.has_value() && worker->histograms != nullptr)
        sum.Merge((*worker->histograms).*metric.histogram);
    }
    WriteHistogram(metric.info, sum, page);
  }
}

}  // namespace

std::string MetricsPage(const RuntimeSnapshot& snapshot,
                        const MetricRegistry& registry,
                        const std::optional<ProcessStats>& process) {
  LabelledStats<WorkerCounters> workers;
  LabelledStats<ExecutorStats> executors;
  LabelledStats<FrameAllocator::Stats> frames;
  LabelledStats<LoopStats> loops;
  LabelledStats<BackendStats> backends;
  LabelledStats<ReceiveMemory> receives;
  for (size_t i = 0; i < snapshot.workers.size(); ++i) {
    if (!snapshot.workers[i].has_value()) continue;
    const WorkerSnapshot& worker = *snapshot.workers[i];
    const std::string label = absl::StrCat(i);
    workers.emplace_back(label, &worker.counters);
    executors.emplace_back(label, &worker.executor);
    frames.emplace_back(label, &worker.executor.frames);
    loops.emplace_back(label, &worker.executor.loop);
    backends.emplace_back(label, &worker.executor.loop.backend);
    receives.emplace_back(label, &worker.executor.loop.backend.receive_memory);
  }
  LabelledStats<JobPoolStats> pools;
  for (const PoolSnapshot& pool : snapshot.pools)
    pools.emplace_back(pool.name, &pool.stats);
  LabelledStats<HostResolverStats> resolvers;
  if (snapshot.resolver.has_value()) {
    pools.emplace_back("resolver", &snapshot.resolver->pool);
    resolvers.emplace_back("", &*snapshot.resolver);
  }
  LabelledStats<net::TlsStatistics> contexts;
  for (const TlsSnapshot& tls : snapshot.tls)
    contexts.emplace_back(tls.name, &tls.statistics);
  const MetricRegistryStats own = registry.stats();

  MetricsText page;
  WriteWorkersUp(snapshot, page);
  WriteTable(internal::kWorkerMetrics, "worker", workers, page);
  if (!workers.empty()) WriteEndedByCode(workers, page);
  WriteTable(internal::kTaskMetrics, "worker", executors, page);
  WriteTable(internal::kFrameMetrics, "worker", frames, page);
  WriteTable(internal::kLoopMetrics, "worker", loops, page);
  WriteTable(internal::kBackendMetrics, "worker", backends, page);
  WriteTable(internal::kReceiveMetrics, "worker", receives, page);
  WriteHistograms(snapshot, page);
  WriteTable(internal::kPoolMetrics, "pool", pools, page);
  WriteTable(internal::kResolverMetrics, "", resolvers, page);
  WriteTable(internal::kTlsMetrics, "context", contexts, page);
  WriteTable(internal::kRegistryMetrics, "", {{"", &own}}, page);
  if (process.has_value())
    WriteTable(internal::kProcessMetrics, "", {{"", &*process}}, page);
  registry.WriteTo(page);
  return page.Take();
}

}  // namespace ringway
