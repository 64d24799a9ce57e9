// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/event.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

Task<void> NoteWhenSet(Event* event, std::vector<int>* log, int id) {
  const absl::Status status = co_await event->Wait();
  EXPECT_TRUE(status.ok());
  log->push_back(id);
}

Task<void> SetAfterThreeWait(Event* event, std::vector<int>* log) {
  JoinHandle<void> a = Spawn(NoteWhenSet(event, log, 1));
  JoinHandle<void> b = Spawn(NoteWhenSet(event, log, 2));
  JoinHandle<void> c = Spawn(NoteWhenSet(event, log, 3));
  co_await Yield();
  EXPECT_TRUE(log->empty());
  event->Set();
  static_cast<void>(co_await a);
  static_cast<void>(co_await b);
  static_cast<void>(co_await c);
}

TEST(Event, WakesEveryWaiterInTheOrderTheyCame) {
  VirtualTimeExecutor executor;
  Event event;
  std::vector<int> log;
  EXPECT_TRUE(executor->Run(SetAfterThreeWait(&event, &log)).ok());
  EXPECT_EQ(log, (std::vector<int>{1, 2, 3}));
}

Task<absl::Status> WaitFor(Event* event) { co_return co_await event->Wait(); }

TEST(Event, ThatIsSetMakesNobodyWait) {
  VirtualTimeExecutor executor;
  Event event;
  event.Set();
  EXPECT_TRUE(executor->Run(WaitFor(&event)).ok());
}

Task<void> SetAndResetAtOnce(Event* event) {
  JoinHandle<absl::Status> waiter = Spawn(WaitFor(event));
  co_await Yield();
  event->Set();
  event->Reset();
  const absl::Status woken = co_await waiter;
  EXPECT_TRUE(woken.ok());
  JoinHandle<absl::Status> late = Spawn(WaitFor(event));
  co_await Yield();
  EXPECT_FALSE(late.done());
  late.Cancel();
  static_cast<void>(co_await late);
}

TEST(Event, ResetRightAfterSetStillWakesThoseWhoWaited) {
  VirtualTimeExecutor executor;
  Event event;
  EXPECT_TRUE(executor->Run(SetAndResetAtOnce(&event)).ok());
}

Task<void> CancelTheMiddleOne(Event* event, std::vector<int>* log) {
  JoinHandle<void> a = Spawn(NoteWhenSet(event, log, 1));
  JoinHandle<absl::Status> b = Spawn(WaitFor(event));
  JoinHandle<void> c = Spawn(NoteWhenSet(event, log, 3));
  co_await Yield();
  b.Cancel();
  const absl::Status cancelled = co_await b;
  EXPECT_EQ(cancelled.code(), absl::StatusCode::kCancelled);
  event->Set();
  static_cast<void>(co_await a);
  static_cast<void>(co_await c);
}

TEST(Event, ACancelledWaiterLeavesTheOthersInLine) {
  VirtualTimeExecutor executor;
  Event event;
  std::vector<int> log;
  EXPECT_TRUE(executor->Run(CancelTheMiddleOne(&event, &log)).ok());
  EXPECT_EQ(log, (std::vector<int>{1, 3}));
}

Task<void> CancelAfterSet(Event* event) {
  JoinHandle<absl::Status> waiter = Spawn(WaitFor(event));
  co_await Yield();
  event->Set();
  waiter.Cancel();
  const absl::Status status = co_await waiter;
  EXPECT_TRUE(status.ok());
}

TEST(Event, ACancelAfterSetDoesNotUndoIt) {
  VirtualTimeExecutor executor;
  Event event;
  EXPECT_TRUE(executor->Run(CancelAfterSet(&event)).ok());
}

Task<int> WaitUntilCancelled(Event* event) {
  int waits = 0;
  while ((co_await event->Wait()).ok()) ++waits;
  co_return waits;
}

Task<void> CancelALoopOverAReadyEvent(Event* event) {
  JoinHandle<int> looping = Spawn(WaitUntilCancelled(event));
  co_await Yield();
  looping.Cancel();
  const absl::StatusOr<int> waits = co_await looping;
  EXPECT_GT(*waits, 0);
}

TEST(Event, ATaskThatLoopsOverASetEventCanBeCancelled) {
  VirtualTimeExecutor executor;
  Event event;
  event.Set();
  EXPECT_TRUE(executor->Run(CancelALoopOverAReadyEvent(&event)).ok());
}

}  // namespace
}  // namespace ringway
