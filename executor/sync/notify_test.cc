// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/sync/notify.h"

#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

Task<absl::Status> WaitAndNote(Notify* notify, std::vector<int>* log, int id) {
  const absl::Status status = co_await notify->Wait();
  if (status.ok()) log->push_back(id);
  co_return status;
}

Task<void> NotifyThreeOneByOne(std::vector<int>* log) {
  Notify notify;
  JoinHandle<absl::Status> a = Spawn(WaitAndNote(&notify, log, 1));
  JoinHandle<absl::Status> b = Spawn(WaitAndNote(&notify, log, 2));
  JoinHandle<absl::Status> c = Spawn(WaitAndNote(&notify, log, 3));
  co_await Yield();
  notify.NotifyOne();
  EXPECT_TRUE((co_await a).ok());
  EXPECT_FALSE(b.done());
  notify.NotifyOne();
  notify.NotifyOne();
  EXPECT_TRUE((co_await b).ok());
  EXPECT_TRUE((co_await c).ok());
}

TEST(Notify, OneWakesOneAtATimeInTheOrderTheyCame) {
  VirtualTimeExecutor executor;
  std::vector<int> log;
  EXPECT_TRUE(executor->Run(NotifyThreeOneByOne(&log)).ok());
  EXPECT_EQ(log, (std::vector<int>{1, 2, 3}));
}

Task<void> NotifyNobodyTwice(std::vector<int>* log) {
  Notify notify;
  notify.NotifyOne();
  notify.NotifyOne();
  EXPECT_TRUE((co_await WaitAndNote(&notify, log, 1)).ok());
  JoinHandle<absl::Status> second = Spawn(WaitAndNote(&notify, log, 2));
  co_await Yield();
  EXPECT_FALSE(second.done()) << "kept once, not twice";
  notify.NotifyOne();
  EXPECT_TRUE((co_await second).ok());
}

TEST(Notify, OneThatFindsNobodyIsKeptOnce) {
  VirtualTimeExecutor executor;
  std::vector<int> log;
  EXPECT_TRUE(executor->Run(NotifyNobodyTwice(&log)).ok());
  EXPECT_EQ(log, (std::vector<int>{1, 2}));
}

Task<void> NotifyAllThenWait(std::vector<int>* log) {
  Notify notify;
  JoinHandle<absl::Status> a = Spawn(WaitAndNote(&notify, log, 1));
  JoinHandle<absl::Status> b = Spawn(WaitAndNote(&notify, log, 2));
  co_await Yield();
  notify.NotifyAll();
  JoinHandle<absl::Status> late = Spawn(WaitAndNote(&notify, log, 3));
  EXPECT_TRUE((co_await a).ok());
  EXPECT_TRUE((co_await b).ok());
  co_await Yield();
  EXPECT_FALSE(late.done());
  late.Cancel();
  EXPECT_EQ((co_await late).code(), absl::StatusCode::kCancelled);
}

TEST(Notify, AllWakesThoseWhoWaitAndKeepsNothing) {
  VirtualTimeExecutor executor;
  std::vector<int> log;
  EXPECT_TRUE(executor->Run(NotifyAllThenWait(&log)).ok());
  EXPECT_EQ(log, (std::vector<int>{1, 2}));
}

Task<void> CancelTheFirstThenNotify(std::vector<int>* log) {
  Notify notify;
  JoinHandle<absl::Status> a = Spawn(WaitAndNote(&notify, log, 1));
  JoinHandle<absl::Status> b = Spawn(WaitAndNote(&notify, log, 2));
  co_await Yield();
  a.Cancel();
  notify.NotifyOne();
  EXPECT_EQ((co_await a).code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE((co_await b).ok());
}

TEST(Notify, ACancelledWaiterUsesUpNothing) {
  VirtualTimeExecutor executor;
  std::vector<int> log;
  EXPECT_TRUE(executor->Run(CancelTheFirstThenNotify(&log)).ok());
  EXPECT_EQ(log, (std::vector<int>{2}));
}

Task<void> NotifyThenCancel(std::vector<int>* log) {
  Notify notify;
  JoinHandle<absl::Status> waiter = Spawn(WaitAndNote(&notify, log, 1));
  co_await Yield();
  notify.NotifyOne();
  waiter.Cancel();
  EXPECT_TRUE((co_await waiter).ok());
}

TEST(Notify, ATaskCancelledAfterItWasNotifiedHasBeen) {
  VirtualTimeExecutor executor;
  std::vector<int> log;
  EXPECT_TRUE(executor->Run(NotifyThenCancel(&log)).ok());
  EXPECT_EQ(log, (std::vector<int>{1}));
}

// Cancelled while it waits for `first`, it comes to `second` as a cancelled
// task.
Task<absl::Status> WaitForBoth(Notify* first, Notify* second) {
  EXPECT_EQ((co_await first->Wait()).code(), absl::StatusCode::kCancelled);
  co_return co_await second->Wait();
}

Task<void> CancelWhileAPermitIsKept() {
  Notify first;
  Notify second;
  second.NotifyOne();
  JoinHandle<absl::Status> waiter = Spawn(WaitForBoth(&first, &second));
  co_await Yield();
  waiter.Cancel();
  EXPECT_EQ((co_await waiter).code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE((co_await second.Wait()).ok()) << "the permit was still there";
}

TEST(Notify, ACancelledTaskTakesNoPermit) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelWhileAPermitIsKept()).ok());
}

}  // namespace
}  // namespace ringway
