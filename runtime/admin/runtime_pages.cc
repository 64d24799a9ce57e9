// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/admin/runtime_pages.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/executor/task/task.h"
#include "ringway/runtime/host/process_stats.h"
#include "ringway/runtime/metrics/metrics_page.h"
#include "ringway/runtime/metrics/tasks_page.h"

namespace ringway {
namespace {

using SharedSource = std::shared_ptr<const RuntimePagesSource>;

Task<absl::StatusOr<std::string>> MakeMetrics(SharedSource source) {
  const RuntimeSnapshot snapshot = co_await source->snapshot(source->patience);
  co_return MetricsPage(snapshot, *source->registry, ReadProcessStats());
}

Task<absl::StatusOr<std::string>> MakeTasks(SharedSource source) {
  co_return co_await TasksPage(source->workers(), source->patience);
}

}  // namespace

AdminPages MakeRuntimePages(RuntimePagesSource source) {
  RINGWAY_CHECK(source.workers != nullptr && source.snapshot != nullptr,
                "RuntimePagesSource needs `workers` and `snapshot`");
  AdminPages pages;
  pages.ready = source.ready;
  const auto shared =
      std::make_shared<const RuntimePagesSource>(std::move(source));
  pages.metrics = [shared] { return MakeMetrics(shared); };
  pages.tasks = [shared] { return MakeTasks(shared); };
  return pages;
}

}  // namespace ringway
