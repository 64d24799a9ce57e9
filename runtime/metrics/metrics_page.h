// SPDX-License-Identifier: Apache-2.0
//
// MetricsPage: the page of metrics of a runtime and of its program, in the
// Prometheus text format.

#ifndef RINGWAY_RUNTIME_METRICS_METRICS_PAGE_H_
#define RINGWAY_RUNTIME_METRICS_METRICS_PAGE_H_

#include <string>

#include "ringway/core/metrics/metric_registry.h"
#include "ringway/runtime/metrics/runtime_snapshot.h"

namespace ringway {

// All counters and gauges of `snapshot`, labelled by worker, its histograms,
// summed over the workers, and the metrics of `registry`. docs/metrics.md
// describes them.
//
// Cost: about 120 lines of text for each worker.
std::string MetricsPage(
    const RuntimeSnapshot& snapshot,
    const MetricRegistry& registry = MetricRegistry::Default());

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_METRICS_METRICS_PAGE_H_
