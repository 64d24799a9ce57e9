// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/metrics/metrics_document.h"

#include "absl/strings/str_cat.h"
#include "ringway/core/metrics/metric.h"
#include "ringway/runtime/metrics/metric_tables.h"

namespace ringway::internal {
namespace {

constexpr char kIntroduction[] =
    R"(# Metrics

<!-- Written by //runtime/metrics:write_metrics_document; its test has the command. -->

The page `/metrics` of a server has these metrics, in the Prometheus text format, version
0.0.4. Counters begin at 0 when the server starts. Metrics of a worker have the label
`worker`, its index; those of a worker that has ended, or that is so busy that it does not
answer, are missing, and its `ringway_worker_up` is 0. Those of pools appear when something has
used the pool. Those of TLS are there for each `TlsContext` of a `Builder::ListenTls()`, by the
name of its first listener. Those of the process have the names that Prometheus' own clients
give them, and are missing where /proc cannot be read.

Metrics of the program's own follow them on the page: `ringway/core/metrics/metric_registry.h`.
Counting takes about a nanosecond and no lock: each thread has cells of its own, which the
page sums. A registry has at most `MetricLimits::max_metrics` (1,000) metrics with
`MetricLimits::max_label_sets` (100) sets of labels each, and all registries together
`kMostMetricCells` (65,536) cells: one for a counter or gauge, one for each bound of a
distribution and two more.

The buckets of the histograms end at 1, 2.5 and 5 times the powers of ten from a microsecond
to 10 seconds. They are sums over all workers. A value that lies less than 1/64 above the
end of a bucket may be counted in it.
)";

}  // namespace

std::string MetricsDocument() {
  std::string text = kIntroduction;
  for (const MetricSection& section : RuntimeMetricSections()) {
    absl::StrAppend(&text, "\n## ", section.title, "\n\n",
                    "| name | type | labels | meaning |\n",
                    "|---|---|---|---|\n");
    for (const MetricInfo& info : section.metrics) {
      std::string labels(section.label);
      if (info.name == kEndedByCode.name) labels += ", code";
      if (info.name == kWorkerInfo.name) labels += ", backend";
      absl::StrAppend(&text, "| `", info.name, "` | ",
                      MetricTypeName(info.type), " | ", labels, " | ",
                      info.help, " |\n");
    }
  }
  return text;
}

}  // namespace ringway::internal
