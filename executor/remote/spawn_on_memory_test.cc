// SPDX-License-Identifier: Apache-2.0
//
// A call for which its target has no memory.

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/testing/failing_allocation.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/remote/spawn_on.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"

namespace ringway {
namespace {

Task<void> WaitFor(Event* event) { (co_await event->Wait()).IgnoreError(); }

// A function of the target's inbox makes the frame of a call. Its exception
// used to propagate from the target's turn and end its Run(), while the
// caller got no result or a wrong one.
TEST(SpawnOnMemory, TargetWithoutMemoryRefusesTheCallAndGoesOn) {
  Event go;
  std::unique_ptr<Executor> target = *Executor::Create();
  const ExecutorHandle handle(*target);
  std::vector<RemoteHandle<void>> calls;
  while (calls.size() < 10'000 && (calls.empty() || !calls.back().done())) {
    calls.push_back(SpawnOn(handle, WaitFor, &go));
    testing::FailingAllocation failure(1);
    target->Turn(MonotonicTime());
  }

  ASSERT_TRUE(calls.back().done());
  EXPECT_TRUE(absl::IsResourceExhausted(calls.back().TakeResult()));
  EXPECT_EQ(target->stats().detached_exceptions, 0u);
  go.Set();
  calls.push_back(SpawnOn(handle, WaitFor, &go));
  for (int i = 0; i < 3; ++i) target->Turn(MonotonicTime());
  EXPECT_TRUE(calls.back().done()) << "there is memory again";
}

}  // namespace
}  // namespace ringway
