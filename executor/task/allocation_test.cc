// SPDX-License-Identifier: Apache-2.0
//
// Once warm, the task layer does not allocate from the heap. A separate
// target, because it replaces malloc for the whole binary.

#include <utility>

#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/executor/structured/select.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/structured/when.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/interval.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"

namespace ringway {
namespace {

constexpr int kWarmUp = 100;
constexpr int kRounds = 1000;

Task<int> Give(int value) { co_return value; }

Task<void> SpawnAndJoin() {
  JoinHandle<int> handle = Spawn(Give(1));
  static_cast<void>(co_await handle);
}
Task<void> SpawnAndDetach() {
  Spawn(Give(1)).Detach();
  co_await Yield();
}
Task<void> SpawnAndCancel() {
  JoinHandle<absl::Status> handle = Spawn(SleepOnce(absl::Hours(1)));
  co_await Yield();
  handle.Cancel();
  static_cast<void>(co_await handle);
}
Task<void> SleepBriefly() {
  static_cast<void>(co_await Sleep(absl::Microseconds(1)));
}
Task<void> YieldOnce() { co_await Yield(); }
Task<void> CallChild() { static_cast<void>(co_await Give(1)); }
Task<void> SetEvent(Event* event) {
  event->Set();
  co_return;
}
Task<void> WaitForEvent() {
  Event event;
  JoinHandle<void> setter = Spawn(SetEvent(&event));
  static_cast<void>(co_await event.Wait());
  static_cast<void>(co_await setter);
}
Task<void> WaitForAllOfTwo() {
  Task<int> first = Give(1);
  Task<absl::Status> second = SleepOnce(absl::ZeroDuration());
  static_cast<void>(co_await WhenAll(std::move(first), std::move(second)));
}
Task<void> WaitForAnyOfTwo() {
  Task<int> first = Give(1);
  Task<absl::Status> second = SleepOnce(absl::Hours(1));
  static_cast<void>(co_await WhenAny(std::move(first), std::move(second)));
}
Task<void> TimeOut() {
  Task<absl::Status> task = SleepOnce(absl::Hours(1));
  static_cast<void>(
      co_await WithTimeout(absl::Microseconds(1), std::move(task)));
}
Task<void> TimeOutOfAwait() {
  static_cast<void>(
      co_await WithTimeout(absl::Microseconds(1), Sleep(absl::Hours(1))));
}
Task<void> NotTimeOutOfAwait() {
  static_cast<void>(
      co_await WithTimeout(absl::Hours(1), Sleep(absl::ZeroDuration())));
}
Task<void> NotTimeOut() {
  Task<int> task = Give(1);
  static_cast<void>(co_await WithTimeout(absl::Hours(1), std::move(task)));
}
Task<void> JoinScopeOfTwo() {
  TaskScope scope;
  scope.Spawn(Give(1)).Detach();
  scope.Spawn(SleepOnce(absl::ZeroDuration())).Detach();
  static_cast<void>(co_await scope.Join());
}
Task<void> CancelScopeOfTwo() {
  TaskScope scope;
  scope.Spawn(SleepOnce(absl::Hours(1))).Detach();
  scope.Spawn(SleepOnce(absl::Hours(1))).Detach();
  co_await Yield();
  scope.Cancel();
  static_cast<void>(co_await scope.Join());
}
Task<void> SelectOfThree() {
  Event event;
  static_cast<void>(co_await Select(event.Wait(), Sleep(absl::Hours(1)),
                                    Sleep(absl::ZeroDuration())));
}
Task<void> CancelByToken() {
  CancelSource parent;
  CancelSource child = parent.token().Child();
  JoinHandle<absl::Status> task =
      Spawn(child.token(), SleepOnce(absl::Hours(1)));
  co_await Yield();
  parent.Cancel();
  static_cast<void>(co_await task);
}
Task<void> TickOnce() {
  Interval interval(absl::Microseconds(1));
  static_cast<void>(co_await interval.Tick());
}

// An exceeded deadline allocates its status and message.
constexpr uint64_t kMessage = 2;

struct Case {
  const char* name;
  Task<void> (*run_once)();
  uint64_t of_each_round = 0;  // allocations
};

class Allocation : public ::testing::TestWithParam<Case> {};

Task<uint64_t> CountAfterWarmUp(Task<void> (*run_once)()) {
  for (int i = 0; i < kWarmUp; ++i) co_await run_once();
  const uint64_t before = testing::CountAllocations();
  for (int i = 0; i < kRounds; ++i) co_await run_once();
  co_return testing::CountAllocations() - before;
}

TEST_P(Allocation, NoneFromTheHeapOnceWarmButForMessages) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  const absl::StatusOr<uint64_t> n =
      (*executor)->Run(CountAfterWarmUp(GetParam().run_once));
  EXPECT_EQ(*n, kRounds * GetParam().of_each_round);
}

TEST_P(Allocation, FramesComeFromTheFrameAllocatorAndGoBack) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  const FrameAllocator::Stats before = (*executor)->stats().frames;
  // The outermost frame is made outside of the executor.
  ASSERT_TRUE((*executor)->Run(CountAfterWarmUp(GetParam().run_once)).ok());
  const FrameAllocator::Stats after = (*executor)->stats().frames;
  EXPECT_GE(after.allocations - before.allocations, uint64_t{kRounds});
  EXPECT_EQ(after.heap_fallbacks, 0u);
  EXPECT_EQ(after.live, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    , Allocation,
    ::testing::Values(
        Case{"SpawnAndJoin", SpawnAndJoin},
        Case{"SpawnAndDetach", SpawnAndDetach},
        Case{"SpawnAndCancel", SpawnAndCancel}, Case{"Sleep", SleepBriefly},
        Case{"Yield", YieldOnce}, Case{"CallChild", CallChild},
        Case{"WaitForEvent", WaitForEvent}, Case{"WhenAll", WaitForAllOfTwo},
        Case{"WhenAny", WaitForAnyOfTwo}, Case{"TimeOut", TimeOut, kMessage},
        Case{"TimeOutOfAwait", TimeOutOfAwait, kMessage},
        Case{"NotTimeOutOfAwait", NotTimeOutOfAwait},
        Case{"NotTimeOut", NotTimeOut}, Case{"JoinScope", JoinScopeOfTwo},
        Case{"CancelScope", CancelScopeOfTwo}, Case{"Select", SelectOfThree},
        Case{"CancelByToken", CancelByToken}, Case{"Tick", TickOnce}),
    [](const auto& info) { return std::string(info.param.name); });

Task<void> NestDeep(int n) {
  if (n > 0) co_await NestDeep(n - 1);
}

TEST(FrameMemory, IsPerPeakAndNotPerTask) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  ASSERT_TRUE((*executor)->Run(NestDeep(1000)).ok());
  const size_t chunks = (*executor)->stats().frames.chunk_bytes;
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE((*executor)->Run(NestDeep(1000)).ok());
  EXPECT_EQ((*executor)->stats().frames.chunk_bytes, chunks);
}

}  // namespace
}  // namespace ringway
