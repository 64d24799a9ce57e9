// SPDX-License-Identifier: Apache-2.0
//
// Small servers that make metrics move: each function looks at their pages
// until it has seen what its name is about.

#ifndef RINGWAY_RUNTIME_METRICS_TESTING_SCENARIOS_H_
#define RINGWAY_RUNTIME_METRICS_TESTING_SCENARIOS_H_

#include <memory>

#include "ringway/executor/task/executor.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/metrics/testing/watched_metrics.h"
#include "ringway/runtime/runtime.h"

namespace ringway::moving {

// One worker and a page.
inline Runtime::Builder Watched(
    const ExecutorOptions& options = ExecutorOptions()) {
  Runtime::Builder builder;
  builder.Workers(1).Options(options).Metrics("127.0.0.1:0");
  return builder;
}

inline std::unique_ptr<Runtime> LaunchOf(Runtime::Builder& builder) {
  return net::testing::ValueOf(builder.Launch());
}

// Without waiting for what it serves.
inline void End(Runtime& runtime) {
  runtime.Cut();
  runtime.Wait();
}

// connection_scenarios.cc
void ConnectionsEndInManyWays(WatchedMetrics& watched);
void ConnectionsWaitForRoom(WatchedMetrics& watched);
void AListenerFails(WatchedMetrics& watched);
void AStartFails(WatchedMetrics& watched);
void ClientsComeLateAndStay(WatchedMetrics& watched);

// task_scenarios.cc
void TasksAreManySlowAndThrow(WatchedMetrics& watched);
void LoopsAreBusy(WatchedMetrics& watched);
void LoopsSpin(WatchedMetrics& watched);  // on io_uring
void FramesAreManyAndLarge(WatchedMetrics& watched);
void TheProcessGrows(WatchedMetrics& watched);
void TheProgramHasMetrics(WatchedMetrics& watched);

// stream_scenarios.cc
void BuffersAreHeld(WatchedMetrics& watched);
void BuffersRunOut(WatchedMetrics& watched);
void WaitsAreCancelled(WatchedMetrics& watched);
void FilesAreSynchronised(WatchedMetrics& watched);
void ZeroCopyIsRefused(WatchedMetrics& watched);  // on io_uring

// pool_scenarios.cc
void CallsBlock(WatchedMetrics& watched);
void CallsAreLeft(WatchedMetrics& watched);
void HostsAreLookedUp(WatchedMetrics& watched);

// tls_scenarios.cc
void TlsHandshakesEndInManyWays(WatchedMetrics& watched);

}  // namespace ringway::moving

#endif  // RINGWAY_RUNTIME_METRICS_TESTING_SCENARIOS_H_
