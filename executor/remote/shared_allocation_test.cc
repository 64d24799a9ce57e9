// SPDX-License-Identifier: Apache-2.0
//
// Once warm, communication between workers does not allocate. A separate
// target, because it replaces malloc for the whole binary.

#include <cstdint>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/remote/shared_channel.h"
#include "ringway/executor/remote/spawn_on.h"
#include "ringway/executor/remote/wake_handle.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/testing/worker_for_test.h"

namespace ringway {
namespace {

constexpr int kWarmUp = 2000;
constexpr int kRounds = 2000;

// Allocations are rare and do not recur: the warm-up fills the pools of both
// workers to their peak.
template <typename Once>
Task<uint64_t> CountAfterWarmUp(Once once) {
  for (int i = 0; i < kWarmUp; ++i) co_await once.Run();
  const uint64_t before = testing::CountAllocations();
  for (int i = 0; i < kRounds; ++i) co_await once.Run();
  co_return testing::CountAllocations() - before;
}

template <typename Once>
uint64_t AllocationsOf(Once once) {
  auto executor = *Executor::Create();
  return *executor->Run(CountAfterWarmUp(std::move(once)));
}

// --- SpawnOn

Task<int> Add(int a, int b) { co_return a + b; }
int AddAtOnce(int a, int b) { return a + b; }

struct CallOnce {
  ExecutorHandle worker;
  Task<void> Run() {
    static_cast<void>(co_await SpawnOn(worker, Add, 1, 2));
    static_cast<void>(co_await SpawnOn(worker, AddAtOnce, 1, 2));
  }
};

TEST(SharedAllocation, CallsTakeNothingFromTheHeap) {
  testing::WorkerForTest worker;
  EXPECT_EQ(AllocationsOf(CallOnce{worker.handle()}), 0u);
}

// --- SharedChannel

Task<void> Echo(SharedReceiver<int> from, SharedSender<int> to) {
  while (true) {
    const auto value = co_await from.Receive();
    if (!value.ok()) co_return;
    if (!(co_await to.Send(int{*value})).ok()) co_return;
  }
}

// Eight at a time through channels for two: both sides wait now and then.
struct SendAndReceive {
  SharedSender<int> to;
  SharedReceiver<int> from;
  Task<void> Run() {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE((co_await to.Send(int{i})).ok());
    for (int i = 0; i < 4; ++i) {
      const auto value = co_await from.Receive();
      EXPECT_EQ(*value, i);
    }
  }
};

TEST(SharedAllocation, ValuesTakeNothingFromTheHeap) {
  testing::WorkerForTest worker;
  auto [to, at_worker] = MakeSharedChannel<int>(2);
  auto [back, from] = MakeSharedChannel<int>(2);
  static_cast<void>(
      SpawnOn(worker.handle(), Echo, std::move(at_worker), std::move(back)));
  EXPECT_EQ(AllocationsOf(SendAndReceive{std::move(to), std::move(from)}), 0u);
}

}  // namespace
}  // namespace ringway
