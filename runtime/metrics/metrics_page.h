// SPDX-License-Identifier: Apache-2.0
//
// MetricsPage: the page of metrics of a runtime and of its program, in the
// Prometheus text format.

#ifndef RINGWAY_RUNTIME_METRICS_METRICS_PAGE_H_
#define RINGWAY_RUNTIME_METRICS_METRICS_PAGE_H_

#include <optional>
#include <string>

#include "ringway/core/metrics/metric_registry.h"
#include "ringway/runtime/host/process_stats.h"
#include "ringway/runtime/metrics/runtime_snapshot.h"

namespace ringway {

// All counters and gauges of `snapshot`, labelled by worker, its histograms,
// summed over the workers, those of `process`, if there are any, and the
// metrics of `registry`. docs/metrics.md describes them.
//
// Cost: about 120 lines of text for each worker.
std::string MetricsPage(
    const RuntimeSnapshot& snapshot,
    const MetricRegistry& registry = MetricRegistry::Default(),
    const std::optional<ProcessStats>& process = std::nullopt);

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_METRICS_METRICS_PAGE_H_
