// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/metrics/testing/watched_metrics.h"

#include <chrono>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/unique_fd.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/metrics/metric_tables.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway::moving {

WatchedMetrics::WatchedMetrics() {
  for (const ringway::internal::MetricSection& section :
       ringway::internal::RuntimeMetricSections()) {
    for (const MetricInfo& info : section.metrics)
      all_.insert(std::string(info.name));
  }
}

void WatchedMetrics::Look(const Runtime& runtime) {
  const UniqueFd client = ConnectTo(runtime.metrics_address());
  testing::SendAll(
      client.get(),
      "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string page = net::testing::ReceiveAll(client.get());
  ASSERT_TRUE(absl::StrContains(page, "ringway_worker_up")) << page;
  for (const std::string_view line : absl::StrSplit(page, '\n')) LookAt(line);
}

// `metric{labels} value`; a histogram has moved with its number of values.
void WatchedMetrics::LookAt(std::string_view line) {
  const std::string_view series = line.substr(0, line.rfind(' '));
  std::string name(series.substr(0, series.find('{')));
  if (!all_.contains(name)) name = absl::StripSuffix(name, "_count");
  if (!all_.contains(name)) return;
  const std::string value(line.substr(series.size()));
  const auto [first, is_new] = first_.emplace(series, value);
  if (first->second != value) moved_.insert(name);
}

void WatchedMetrics::LookUntilMoved(const Runtime& runtime,
                                    std::string_view metric) {
  const std::string name(metric);
  const auto limit =
      std::chrono::steady_clock::now() + std::chrono::seconds(60);
  ASSERT_TRUE(all_.contains(name)) << name;
  do {
    ASSERT_LT(std::chrono::steady_clock::now(), limit) << name;
    Look(runtime);
  } while (!moved_.contains(name));
}

}  // namespace ringway::moving
