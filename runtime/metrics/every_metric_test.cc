// SPDX-License-Identifier: Apache-2.0
//
// A metric that never changes tells nothing, and looks as if all were well.
// Each of docs/metrics.md is seen to change on a page, or is listed here with
// the reason why it does not.

#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "ringway/net/tls/testing/kernel_has_tls.h"
#include "ringway/runtime/metrics/testing/scenarios.h"
#include "ringway/runtime/metrics/testing/watched_metrics.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway::moving {
namespace {

using Reasons = std::map<std::string, std::string>;

Reasons NeverMove() {
  return {
      {"ringway_worker_info", "is 1 always; its label tells the backend"},
      {"process_start_time_seconds", "is constant in a process"},
      {"ringway_backend_deliveries_lost_total",
       "memory has to run out while the backend stores a delivery"},
      {"ringway_backend_direct_polling_refused_total",
       "depends on the device: one with poll queues refuses nothing"},
  };
}

Reasons NeverMoveOnEpoll() {
  return {
      {"ringway_loop_spins_paid_total", "epoll sees nothing without a call"},
      {"ringway_loop_spins_unpaid_total", "epoll sees nothing without a call"},
      {"ringway_backend_zero_copy_refused_total", "epoll copies all sends"},
  };
}

using EveryMetric = RuntimeTest;

TEST_F(EveryMetric, MovesOrHasAReasonNotTo) {
  Runtime::Builder builder = OneWorker();
  const bool uring =
      Launch(builder)->backend_description().starts_with("uring");
  WatchedMetrics watched;
  ConnectionsEndInManyWays(watched);
  ConnectionsWaitForRoom(watched);
  AListenerFails(watched);
  AStartFails(watched);
  ClientsComeLateAndStay(watched);
  TasksAreManySlowAndThrow(watched);
  LoopsAreBusy(watched);
  FramesAreManyAndLarge(watched);
  TheProcessGrows(watched);
  TheProgramHasMetrics(watched);
  BuffersAreHeld(watched);
  BuffersRunOut(watched);
  WaitsAreCancelled(watched);
  FilesAreSynchronised(watched);
  CallsBlock(watched);
  CallsAreLeft(watched);
  HostsAreLookedUp(watched);
  TlsHandshakesEndInManyWays(watched);
  Reasons still = NeverMove();
  if (!net::testing::KernelHasTls()) {
    still.emplace("ringway_tls_handshakes_kernel_total",
                  "the kernel has no TLS");
  }
  if (uring) {
    LoopsSpin(watched);
    ZeroCopyIsRefused(watched);
  } else {
    still.merge(NeverMoveOnEpoll());
  }

  for (const std::string& metric : watched.all()) {
    EXPECT_NE(watched.moved().contains(metric), still.contains(metric))
        << metric << (still.contains(metric) ? " moved" : " never moved");
  }
  for (const auto& [metric, reason] : still)
    EXPECT_TRUE(watched.all().contains(metric)) << metric << ": " << reason;
  printf("%s: %zu of %zu metrics moved\n", uring ? "io_uring" : "epoll",
         watched.moved().size(), watched.all().size());
}

}  // namespace
}  // namespace ringway::moving
