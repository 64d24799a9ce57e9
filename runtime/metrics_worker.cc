// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/metrics_worker.h"

#include <utility>

#include "ringway/runtime/admin/admin_handler.h"
#include "ringway/runtime/admin/runtime_pages.h"

namespace ringway::internal {
namespace {

// Those who look at it are few.
constexpr size_t kMostClients = 64;

Worker::Role MetricsRole() {
  Worker::Role role;
  role.name = "metrics";
  role.index = -1;
  role.cpu = -1;
  role.server.max_connections = kMostClients;
  return role;
}

AdminHandler PagesOf(Runtime& runtime) {
  RuntimePagesSource source;
  source.workers = [&runtime] { return runtime.workers(); };
  source.snapshot = [&runtime](absl::Duration patience) {
    return runtime.AwaitSnapshot(patience);
  };
  source.ready = [&runtime] { return runtime.ready(); };
  return MakeAdminHandler(MakeRuntimePages(std::move(source)));
}

}  // namespace

MetricsWorker::MetricsWorker(Runtime& runtime, const RuntimeConfig& config)
    : Worker(runtime, config, MetricsRole()),
      endpoint_{PagesOf(runtime), "metrics"} {}

}  // namespace ringway::internal
