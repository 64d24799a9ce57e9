// SPDX-License-Identifier: Apache-2.0
//
// A recording allocates nothing. A separate target, because it replaces
// malloc for the whole binary.

#include <cstdint>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/executor/diagnostics/trace_recorder.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/testing/receive_for_test.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"

namespace ringway {
namespace {

Task<void> ReceiveOften(SocketPair& sockets, int n) {
  char byte;
  for (int i = 0; i < n; ++i) {
    sockets.SendFromFarEnd("x");
    ReceiveOp receive(sockets.near_end.get(), std::span(&byte, 1));
    EXPECT_TRUE((co_await receive).ok());
    JoinHandle<int> child = Spawn(GiveAfter(absl::Microseconds(1), 1), "child");
    EXPECT_TRUE((co_await child).ok());
  }
}

Task<uint64_t> CountAfterWarmUp(SocketPair& sockets) {
  co_await ReceiveOften(sockets, 100);
  const uint64_t before = testing::CountAllocations();
  co_await ReceiveOften(sockets, 1000);
  co_return testing::CountAllocations() - before;
}

TEST(TraceMemory, IsAllocatedBefore) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  SocketPair sockets;
  TraceOptions options;
  options.max_events = 100;  // full soon
  TraceRecorder recorder("worker", options);
  (*executor)->SetTrace(&recorder);
  EXPECT_EQ(*(*executor)->Run(CountAfterWarmUp(sockets)), 0u);
  EXPECT_GT(recorder.dropped(), 5000u);
  (*executor)->SetTrace(nullptr);
}

}  // namespace
}  // namespace ringway
