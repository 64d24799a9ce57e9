// SPDX-License-Identifier: Apache-2.0
//
// A server with two workers and nothing but admin pages, until SIGTERM.
// Its argument is the backend.

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/backends/backend_options.h"
#include "ringway/core/check.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/resolver/system_resolver.h"
#include "ringway/pools/blocking/blocking_pool.h"
#include "ringway/runtime/admin/admin_handler.h"
#include "ringway/runtime/admin/runtime_pages.h"
#include "ringway/runtime/runtime.h"

namespace ringway {
namespace {

int RunServer(const char* backend) {
  const absl::StatusOr<BackendKind> kind = ParseBackendKind(backend);
  RINGWAY_CHECK(kind.ok(), "no backend %s", backend);
  ExecutorOptions options;
  options.loop.backend.kind = *kind;

  absl::StatusOr<Counter> helloes = MetricRegistry::Default().AddCounter(
      "helloes_total", "Helloes with \\ and\nlines.",
      {{"of", "a \"quoted\" \\ name\n"}});
  absl::StatusOr<Gauge> depth =
      MetricRegistry::Default().AddGauge("depth", "A gauge.");
  absl::StatusOr<Distribution> waits =
      MetricRegistry::Default().AddDistribution("wait_seconds", "Waits.");
  RINGWAY_CHECK(helloes.ok() && depth.ok() && waits.ok(), "no metrics");
  helloes->Increment(3);
  depth->Set(-1.5);
  waits->Record(absl::Milliseconds(3));

  SharedBlockingPool();  // for the page
  net::DefaultResolver();

  RuntimePagesSource source;
  source.workers = [] {
    const auto workers = CurrentWorkers();
    return std::vector<ExecutorHandle>(workers.begin(), workers.end());
  };
  source.snapshot = [](absl::Duration patience) {
    return Runtime::Current()->AwaitSnapshot(patience);
  };
  Runtime::Builder builder;
  builder.Workers(2).Options(options);
  builder.Listen("127.0.0.1:0",
                 MakeAdminHandler(MakeRuntimePages(std::move(source))));
  return RunUntilSignal(builder);
}

}  // namespace
}  // namespace ringway

int main(int argc, char** argv) {
  RINGWAY_CHECK(argc == 2, "usage: admin_test_server BACKEND");
  return ringway::RunServer(argv[1]);
}
