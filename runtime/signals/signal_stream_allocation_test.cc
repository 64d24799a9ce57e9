// SPDX-License-Identifier: Apache-2.0
//
// Once warm, waiting for signals does not allocate, in the task or in the
// thread that wakes it. A separate target, because it replaces malloc for the
// whole binary.

#include <signal.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/runtime/signals/signals_for_test.h"

namespace ringway {
namespace {

// One that is there already, and one that is waited for.
Task<void> TakeTwo(SignalStream* stream) {
  raise(SIGUSR1);
  EXPECT_TRUE((co_await stream->Next()).ok());
  JoinHandle<absl::StatusOr<Signal>> next = Spawn(testing::NextOf(stream));
  co_await Yield();
  raise(SIGUSR2);
  EXPECT_TRUE((co_await next).ok());
}

Task<uint64_t> CountAfterWarmUp() {
  SignalStream stream = testing::OpenOrDie({SIGUSR1, SIGUSR2});
  for (int i = 0; i < 100; ++i) co_await TakeTwo(&stream);
  const uint64_t before = testing::CountAllocations();
  for (int i = 0; i < 1'000; ++i) co_await TakeTwo(&stream);
  co_return testing::CountAllocations() - before;
}

TEST(SignalStreamAllocation, SignalsTakeNothingFromTheHeap) {
  const auto executor = *Executor::Create();
  EXPECT_EQ(*executor->Run(CountAfterWarmUp()), 0u);
}

}  // namespace
}  // namespace ringway
