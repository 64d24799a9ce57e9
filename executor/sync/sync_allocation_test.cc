// SPDX-License-Identifier: Apache-2.0
//
// Once warm, no primitive allocates from the heap, whether tasks wait or not.

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/executor/sync/barrier.h"
#include "ringway/executor/sync/channel.h"
#include "ringway/executor/sync/mutex.h"
#include "ringway/executor/sync/notify.h"
#include "ringway/executor/sync/oneshot.h"
#include "ringway/executor/sync/semaphore.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

constexpr int kWarmUp = 10;
constexpr int kRounds = 100;

struct Primitives {
  Mutex mutex;
  Semaphore semaphore{3};
  Channel<int> channel{2};
  Channel<int> rendezvous{0};
  Barrier barrier{2};
  Notify notify;
};

Task<void> LockAndYield(Primitives* p) {
  const absl::StatusOr<MutexLock> lock = co_await p->mutex.Lock();
  co_await Yield();
}
Task<void> AcquireAndYield(Primitives* p) {
  const absl::StatusOr<SemaphorePermit> permit =
      co_await p->semaphore.Acquire(2);
  co_await Yield();
}
Task<void> SendFour(Primitives* p) {
  for (int i = 0; i < 4; ++i) {
    static_cast<void>(co_await p->channel.Send(i));
    static_cast<void>(co_await p->rendezvous.Send(i));
  }
}
Task<void> ReceiveFour(Primitives* p) {
  for (int i = 0; i < 4; ++i) {
    static_cast<void>(co_await p->channel.Receive());
    static_cast<void>(co_await p->rendezvous.Receive());
  }
}
Task<void> Meet(Primitives* p) {
  static_cast<void>(co_await p->barrier.Arrive());
}
Task<void> WaitForNotify(Primitives* p) {
  static_cast<void>(co_await p->notify.Wait());
}
Task<void> NotifyAll(Primitives* p) {
  p->notify.NotifyAll();
  co_return;
}
Task<void> Answer(OneshotSender<int> sender) {
  co_await Yield();
  static_cast<void>(sender.Send(1));
}
Task<void> AskAndReceive(Primitives*) {
  Oneshot<int> oneshot;
  JoinHandle<void> answer = Spawn(Answer(std::move(oneshot.sender)));
  static_cast<void>(co_await oneshot.receiver.Receive());
  static_cast<void>(co_await answer);
}

using Use = Task<void> (*)(Primitives*);
struct Case {
  const char* name;
  Use one;
  Use other;  // at the same time
};

Task<void> UseByTwo(Primitives* p, Case c) {
  JoinHandle<void> one = Spawn(c.one(p));
  JoinHandle<void> other = Spawn(c.other(p));
  static_cast<void>(co_await one);
  static_cast<void>(co_await other);
}
// What fails must not allocate either.
Task<void> CancelOne(Primitives* p, Case c) {
  JoinHandle<void> one = Spawn(c.one(p));
  co_await Yield();
  one.Cancel();
  static_cast<void>(co_await one);
}

Task<uint64_t> CountAfterWarmUp(Case c) {
  Primitives primitives;
  uint64_t before = 0;
  for (int i = 0; i < kWarmUp + kRounds; ++i) {
    if (i == kWarmUp) before = testing::CountAllocations();
    co_await UseByTwo(&primitives, c);
    co_await CancelOne(&primitives, c);
  }
  co_return testing::CountAllocations() - before;
}

class SyncAllocation : public ::testing::TestWithParam<Case> {};

TEST_P(SyncAllocation, NoneFromTheHeapOnceWarm) {
  VirtualTimeExecutor executor;
  const absl::StatusOr<uint64_t> n =
      executor->Run(CountAfterWarmUp(GetParam()));
  EXPECT_EQ(*n, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    , SyncAllocation,
    ::testing::Values(Case{"Mutex", LockAndYield, LockAndYield},
                      Case{"Semaphore", AcquireAndYield, AcquireAndYield},
                      Case{"Channel", ReceiveFour, SendFour},
                      Case{"Barrier", Meet, Meet},
                      Case{"Notify", WaitForNotify, NotifyAll},
                      Case{"Oneshot", AskAndReceive, AskAndReceive}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace ringway
