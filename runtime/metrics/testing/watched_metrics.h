// SPDX-License-Identifier: Apache-2.0
//
// WatchedMetrics: which of the metrics of docs/metrics.md have changed on the
// pages of a test's runtimes.

#ifndef RINGWAY_RUNTIME_METRICS_TESTING_WATCHED_METRICS_H_
#define RINGWAY_RUNTIME_METRICS_TESTING_WATCHED_METRICS_H_

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "ringway/runtime/runtime.h"

namespace ringway::moving {

class WatchedMetrics {
 public:
  WatchedMetrics();

  // The names of all metrics.
  const std::set<std::string>& all() const { return all_; }
  // Those of which a value differs from the first one with its labels, on the
  // page of whatever runtime.
  const std::set<std::string>& moved() const { return moved_; }

  // Looks at the page of `runtime`, which has Metrics().
  void Look(const Runtime& runtime);
  // Looks until `metric` has moved, or fails.
  void LookUntilMoved(const Runtime& runtime, std::string_view metric);

 private:
  void LookAt(std::string_view line);

  std::set<std::string> all_;
  std::set<std::string> moved_;
  std::map<std::string, std::string> first_;  // by name and labels
};

}  // namespace ringway::moving

#endif  // RINGWAY_RUNTIME_METRICS_TESTING_WATCHED_METRICS_H_
