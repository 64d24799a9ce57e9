// SPDX-License-Identifier: Apache-2.0
//
// MakeRuntimePages: the admin pages of a runtime, from what it knows of its
// workers.

#ifndef RINGWAY_RUNTIME_ADMIN_RUNTIME_PAGES_H_
#define RINGWAY_RUNTIME_ADMIN_RUNTIME_PAGES_H_

#include <functional>
#include <vector>

#include "absl/time/time.h"
#include "ringway/core/metrics/metric_registry.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/runtime/admin/admin_handler.h"
#include "ringway/runtime/metrics/runtime_snapshot.h"

namespace ringway {

struct RuntimePagesSource {
  RuntimePagesSource() {}

  // All workers, by index. Called on the worker that serves the connection.
  std::function<std::vector<ExecutorHandle>()> workers;
  // Takes what the page of metrics shows, with `patience`: see
  // Runtime::AwaitSnapshot(). Called like `workers`.
  std::function<Task<RuntimeSnapshot>(absl::Duration)> snapshot;
  // AdminPages::ready. May be empty.
  std::function<bool()> ready;
  // Must outlive the pages.
  const MetricRegistry* registry = &MetricRegistry::Default();
  // How long a page waits for workers that are busy.
  absl::Duration patience = absl::Seconds(1);
};

// `workers` and `snapshot` must be set (checked).
AdminPages MakeRuntimePages(RuntimePagesSource source);

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_ADMIN_RUNTIME_PAGES_H_
