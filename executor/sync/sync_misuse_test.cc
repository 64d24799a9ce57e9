// SPDX-License-Identifier: Apache-2.0
//
// Every public member of the primitives, called from a foreign thread.
//
// Only waking a waiting task was checked. Without a waiter a foreign thread
// changed the primitive unnoticed: it released a lock, or sent a value while
// the receiver was about to wait.

#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/executor/sync/barrier.h"
#include "ringway/executor/sync/channel.h"
#include "ringway/executor/sync/mutex.h"
#include "ringway/executor/sync/notify.h"
#include "ringway/executor/sync/oneshot.h"
#include "ringway/executor/sync/semaphore.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

struct Primitives {
  Mutex mutex;
  MutexLock lock;
  Semaphore semaphore{2};
  SemaphorePermit permit;
  Channel<int> channel{4};
  Notify notify;
  Barrier barrier{1};
  Oneshot<int> oneshot;
  Oneshot<int> closed;
};

// A task has used each of them once, and none waits any more.
Task<void> UseAll(Primitives* p) {
  p->lock = *co_await p->mutex.Lock();
  p->permit = *co_await p->semaphore.Acquire();
  (co_await p->channel.Send(1)).IgnoreError();
  p->notify.NotifyOne();
  (co_await p->notify.Wait()).IgnoreError();
  (co_await p->barrier.Arrive()).status().IgnoreError();
  p->closed.receiver = OneshotReceiver<int>();
  (co_await p->closed.sender.Closed()).IgnoreError();
}

Task<void> WaitForOneshot(Primitives* p) {
  (co_await p->oneshot.receiver.Receive()).status().IgnoreError();
}

struct Call {
  const char* label;
  const char* object;  // that the message names
  void (*call)(Primitives&);
};

void PrintTo(const Call& call, std::ostream* out) { *out << call.label; }

constexpr char kSemaphore[] = "a Semaphore or Mutex";
constexpr char kChannel[] = "a Channel";
constexpr char kNotify[] = "a Notify";
constexpr char kBarrier[] = "a Barrier";
constexpr char kSender[] = "a OneshotSender";
constexpr char kReceiver[] = "a OneshotReceiver";

// Not tested here: constants (capacity(), n_parties()), the state of a lock
// or permit (held(), count()), moving these, and creating an awaitable, which
// is checked when a task awaits it (below).
const Call kCalls[] = {
    {"MutexTryLock", kSemaphore, [](Primitives& p) { p.mutex.TryLock(); }},
    {"MutexLocked", kSemaphore, [](Primitives& p) { p.mutex.locked(); }},
    {"LockUnlock", kSemaphore, [](Primitives& p) { p.lock.Unlock(); }},
    {"LockDrop", kSemaphore, [](Primitives& p) { p.lock = MutexLock(); }},
    {"SemaphoreTryAcquire", kSemaphore,
     [](Primitives& p) { p.semaphore.TryAcquire(); }},
    {"SemaphoreRelease", kSemaphore,
     [](Primitives& p) { p.semaphore.Release(); }},
    {"SemaphoreClose", kSemaphore, [](Primitives& p) { p.semaphore.Close(); }},
    {"SemaphoreClosed", kSemaphore,
     [](Primitives& p) { p.semaphore.closed(); }},
    {"SemaphoreAvailable", kSemaphore,
     [](Primitives& p) { p.semaphore.available(); }},
    {"PermitRelease", kSemaphore, [](Primitives& p) { p.permit.Release(); }},
    {"PermitForget", kSemaphore, [](Primitives& p) { p.permit.Forget(); }},
    {"PermitDrop", kSemaphore,
     [](Primitives& p) { p.permit = SemaphorePermit(); }},

    {"ChannelTrySend", kChannel,
     [](Primitives& p) { p.channel.TrySend(1).IgnoreError(); }},
    {"ChannelTryReceive", kChannel,
     [](Primitives& p) { p.channel.TryReceive().status().IgnoreError(); }},
    {"ChannelClose", kChannel, [](Primitives& p) { p.channel.Close(); }},
    {"ChannelClosed", kChannel, [](Primitives& p) { p.channel.closed(); }},
    {"ChannelSize", kChannel, [](Primitives& p) { p.channel.size(); }},

    {"NotifyOne", kNotify, [](Primitives& p) { p.notify.NotifyOne(); }},
    {"NotifyAll", kNotify, [](Primitives& p) { p.notify.NotifyAll(); }},

    {"BarrierWaiting", kBarrier, [](Primitives& p) { p.barrier.n_waiting(); }},

    // The other end waits: each end of a pair changes the other.
    {"OneshotSend", kReceiver,
     [](Primitives& p) { p.oneshot.sender.Send(1).IgnoreError(); }},
    {"OneshotIsClosed", kReceiver,
     [](Primitives& p) { p.oneshot.sender.closed(); }},
    {"OneshotSenderDrop", kReceiver,
     [](Primitives& p) { p.oneshot.sender = OneshotSender<int>(); }},
    {"OneshotTryReceive", kReceiver,
     [](Primitives& p) {
       p.oneshot.receiver.TryReceive().status().IgnoreError();
     }},
    {"OneshotReady", kReceiver,
     [](Primitives& p) { p.oneshot.receiver.ready(); }},
    {"OneshotReceiverDrop", kReceiver,
     [](Primitives& p) { p.oneshot.receiver = OneshotReceiver<int>(); }},
    {"ClosedOneshotIsClosed", kSender,
     [](Primitives& p) { p.closed.sender.closed(); }},
};

class SyncThreadDeathTest : public testing::TestWithParam<Call> {};

TEST_P(SyncThreadDeathTest, NamesTheObjectThatAForeignThreadUses) {
  const Call& call = GetParam();
  EXPECT_DEATH(
      {
        Primitives primitives;
        VirtualTimeExecutor executor;
        executor->Run(UseAll(&primitives)).IgnoreError();
        executor->Spawn(WaitForOneshot(&primitives)).Detach();
        executor->Turn(executor.Now());
        std::thread([&] { call.call(primitives); }).join();
      },
      std::string(call.object) + " was used from a foreign thread");
}

INSTANTIATE_TEST_SUITE_P(Calls, SyncThreadDeathTest, testing::ValuesIn(kCalls),
                         [](const auto& param) { return param.param.label; });

// --- Tasks of a foreign thread

Task<void> AwaitLock(Primitives* p) {
  (co_await p->mutex.Lock()).status().IgnoreError();
}
Task<void> AwaitPermit(Primitives* p) {
  (co_await p->semaphore.Acquire()).status().IgnoreError();
}
Task<void> AwaitSend(Primitives* p) {
  (co_await p->channel.Send(1)).IgnoreError();
}
Task<void> AwaitReceive(Primitives* p) {
  (co_await p->channel.Receive()).status().IgnoreError();
}
Task<void> AwaitNotify(Primitives* p) {
  (co_await p->notify.Wait()).IgnoreError();
}
Task<void> AwaitBarrier(Primitives* p) {
  (co_await p->barrier.Arrive()).status().IgnoreError();
}
Task<void> AwaitClosed(Primitives* p) {
  (co_await p->closed.sender.Closed()).IgnoreError();
}

struct Await {
  const char* label;
  const char* object;  // that the message names
  Task<void> (*await)(Primitives*);
};

void PrintTo(const Await& await, std::ostream* out) { *out << await.label; }

const Await kAwaits[] = {
    {"Lock", kSemaphore, &AwaitLock},
    {"Acquire", kSemaphore, &AwaitPermit},
    {"Send", kChannel, &AwaitSend},
    {"Receive", kChannel, &AwaitReceive},
    {"Notify", kNotify, &AwaitNotify},
    {"Barrier", kBarrier, &AwaitBarrier},
    {"OneshotClosed", kSender, &AwaitClosed},
    {"OneshotReceive", kReceiver, &WaitForOneshot},
};

class SyncTaskDeathTest : public testing::TestWithParam<Await> {};

TEST_P(SyncTaskDeathTest, NamesTheObjectThatATaskOfAForeignThreadAwaits) {
  const Await& await = GetParam();
  EXPECT_DEATH(
      {
        Primitives primitives;
        VirtualTimeExecutor executor;
        executor->Run(UseAll(&primitives)).IgnoreError();
        executor->Spawn(WaitForOneshot(&primitives)).Detach();
        executor->Turn(executor.Now());
        std::thread([&] {
          VirtualTimeExecutor foreign;
          foreign->Run(await.await(&primitives)).IgnoreError();
        }).join();
      },
      std::string(await.object) + " was used from a foreign thread");
}

INSTANTIATE_TEST_SUITE_P(Awaits, SyncTaskDeathTest, testing::ValuesIn(kAwaits),
                         [](const auto& param) { return param.param.label; });

// --- Until the thread has ended

TEST(SyncThread, LeavesPrimitivesAndPermitsToOthersWhenItEnds) {
  Primitives primitives;
  std::thread([&] {
    VirtualTimeExecutor executor;
    EXPECT_TRUE(executor->Run(UseAll(&primitives)).ok());
  }).join();
  EXPECT_TRUE(primitives.mutex.locked());
  primitives.lock.Unlock();
  EXPECT_EQ(*primitives.channel.TryReceive(), 1);
  EXPECT_EQ(primitives.semaphore.available(), 1u);
  primitives.closed = Oneshot<int>();
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(UseAll(&primitives)).ok());
}

// Made, filled and handed over before any task has waited.
TEST(SyncThread, IsThatOfTheFirstTaskAndNotOfTheMaker) {
  Primitives primitives;
  EXPECT_TRUE(primitives.channel.TrySend(1).ok());
  primitives.notify.NotifyOne();
  std::thread([&] {
    VirtualTimeExecutor executor;
    EXPECT_TRUE(executor->Run(UseAll(&primitives)).ok());
    EXPECT_EQ(*primitives.channel.TryReceive(), 1);
  }).join();
}

}  // namespace
}  // namespace ringway
