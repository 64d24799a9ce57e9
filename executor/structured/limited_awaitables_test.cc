// SPDX-License-Identifier: Apache-2.0
//
// WithTimeout() of every awaitable of executor/: its wait ends at the
// deadline, the message of DeadlineExceeded has the wait, and the next waiter
// gets what the ended wait had queued for. For those of net/ see
// net/timeout_test.cc.

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/executor/remote/shared_channel.h"
#include "ringway/executor/remote/spawn_on.h"
#include "ringway/executor/remote/wake_handle.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/sync/barrier.h"
#include "ringway/executor/sync/channel.h"
#include "ringway/executor/sync/mutex.h"
#include "ringway/executor/sync/notify.h"
#include "ringway/executor/sync/oneshot.h"
#include "ringway/executor/sync/semaphore.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/interval.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"
#include "ringway/executor/testing/worker_for_test.h"

namespace ringway {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kSecond = absl::Seconds(1);

absl::Status StatusOf(const absl::Status& status) { return status; }
template <typename T>
absl::Status StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

// Awaits it for a second of virtual time, in which it does not end.
template <typename A>
Task<void> ExpectDeadline(std::string_view what, A& awaitable) {
  const MonotonicTime began = After(absl::ZeroDuration());
  const auto result = co_await WithTimeout(kSecond, awaitable);
  const absl::Status status = StatusOf(result);
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << what << ": " << status;
  EXPECT_EQ(std::string(status.message()),
            "deadline of 1s exceeded waiting for " + std::string(what));
  EXPECT_EQ(After(absl::ZeroDuration()) - began, kSecond) << what;
}

TEST(LimitedAwaitables, Event) {
  struct Local {
    static Task<void> Main() {
      ringway::Event event;
      ringway::Event::WaitOp wait = event.Wait();
      co_await ExpectDeadline("an event", wait);
      EXPECT_FALSE(event.awaited());
      event.Set();
      const absl::Status set = co_await WithTimeout(kSecond, event.Wait());
      EXPECT_TRUE(set.ok());
    }
  };
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(Local::Main()).ok());
}

TEST(LimitedAwaitables, Channel) {
  struct Local {
    static Task<void> Main() {
      ringway::Channel<std::string> channel(1);
      ringway::Channel<std::string>::ReceiveOp receive = channel.Receive();
      co_await ExpectDeadline("a Channel", receive);
      std::string first = "first", second = "second";
      const absl::Status sent =
          co_await WithTimeout(kSecond, channel.Send(std::move(first)));
      EXPECT_TRUE(sent.ok());
      ringway::Channel<std::string>::SendOp send =
          channel.Send(std::move(second));
      co_await ExpectDeadline("a Channel", send);
      EXPECT_EQ(second, "second") << "what was not sent stays the sender's";
      const absl::StatusOr<std::string> got =
          co_await WithTimeout(kSecond, channel.Receive());
      EXPECT_EQ(*got, "first");
      EXPECT_EQ(channel.size(), 0u);
    }
  };
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(Local::Main()).ok());
}

TEST(LimitedAwaitables, MutexAndSemaphore) {
  struct Local {
    static Task<void> Main() {
      ringway::Mutex mutex;
      absl::StatusOr<MutexLock> held =
          co_await WithTimeout(kSecond, mutex.Lock());
      EXPECT_TRUE(held.ok());
      ringway::Mutex::LockOp lock = mutex.Lock();
      co_await ExpectDeadline("a Semaphore or Mutex", lock);
      held->Unlock();
      EXPECT_FALSE(mutex.locked()) << "it is out of the line";

      ringway::Semaphore semaphore(2);
      ringway::Semaphore::AcquireOp three = semaphore.Acquire(3);
      co_await ExpectDeadline("a Semaphore or Mutex", three);
      absl::StatusOr<SemaphorePermit> two =
          co_await WithTimeout(kSecond, semaphore.Acquire(2));
      EXPECT_TRUE(two.ok());
    }
  };
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(Local::Main()).ok());
}

TEST(LimitedAwaitables, NotifyAndBarrier) {
  struct Local {
    static Task<void> Main() {
      ringway::Notify notify;
      ringway::Notify::WaitOp wait = notify.Wait();
      co_await ExpectDeadline("a Notify", wait);
      notify.NotifyOne();
      const absl::Status told = co_await WithTimeout(kSecond, notify.Wait());
      EXPECT_TRUE(told.ok());

      ringway::Barrier barrier(2);
      ringway::Barrier::ArriveOp arrive = barrier.Arrive();
      co_await ExpectDeadline("a Barrier", arrive);
      EXPECT_EQ(barrier.n_waiting(), 0u);
    }
  };
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(Local::Main()).ok());
}

TEST(LimitedAwaitables, Oneshot) {
  struct Local {
    static Task<void> Main() {
      ringway::Oneshot<int> oneshot;
      OneshotReceiver<int>::ReceiveOp receive = oneshot.receiver.Receive();
      co_await ExpectDeadline("a OneshotReceiver", receive);
      OneshotSender<int>::ClosedOp closed = oneshot.sender.Closed();
      co_await ExpectDeadline("a OneshotSender", closed);
      EXPECT_TRUE(oneshot.sender.Send(5).ok());
      const absl::StatusOr<int> value =
          co_await WithTimeout(kSecond, oneshot.receiver.Receive());
      EXPECT_EQ(*value, 5);
    }
  };
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(Local::Main()).ok());
}

TEST(LimitedAwaitables, IntervalAndSleepUntil) {
  struct Local {
    static Task<void> Main() {
      ringway::Interval interval(absl::Seconds(3));
      ringway::Interval::TickOp tick = interval.Tick();
      co_await ExpectDeadline("a tick", tick);
      const absl::StatusOr<uint64_t> missed =
          co_await WithTimeout(absl::Seconds(3), interval.Tick());
      EXPECT_EQ(*missed, 0u) << "the tick was left for the next";
      SleepOp sleep = SleepUntil(After(absl::Hours(1)));
      co_await ExpectDeadline("a sleep", sleep);
    }
  };
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(Local::Main()).ok());
}

TEST(LimitedAwaitables, CancelTokenAndJoins) {
  struct Local {
    static Task<void> SleepLong() {
      (co_await Sleep(absl::Hours(1))).IgnoreError();
    }
    static Task<void> Main() {
      CancelSource source;
      CancelToken token = source.token();
      ringway::Event::WaitOp cancelled = token.Cancelled();
      co_await ExpectDeadline("an event", cancelled);
      JoinHandle<void> handle = Spawn(SleepLong());
      co_await ExpectDeadline("the end of a task", handle);
      internal::JoinWait wait = handle.Wait();
      co_await ExpectDeadline("the end of a task", wait);
      EXPECT_FALSE(handle.done());
      handle.Cancel();
      static_cast<void>(co_await handle);
    }
  };
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(Local::Main()).ok());
}

// --- Those that other threads end: real time.

constexpr absl::Duration kShort = absl::Milliseconds(3);

TEST(LimitedAwaitables, SharedChannel) {
  struct Local {
    static Task<void> Main() {
      auto [sender, receiver] = MakeSharedChannel<std::string>(1);
      absl::StatusOr<std::string> nothing =
          co_await WithTimeout(kShort, receiver.Receive());
      EXPECT_TRUE(absl::IsDeadlineExceeded(nothing.status()))
          << nothing.status();
      std::string first = "first", second = "second";
      absl::Status sent =
          co_await WithTimeout(kSecond, sender.Send(std::move(first)));
      EXPECT_TRUE(sent.ok());
      sent = co_await WithTimeout(kShort, sender.Send(std::move(second)));
      EXPECT_TRUE(absl::IsDeadlineExceeded(sent)) << sent;
      EXPECT_EQ(second, "second");
      nothing = co_await WithTimeout(kSecond, receiver.Receive());
      EXPECT_EQ(*nothing, "first");
      nothing = co_await WithTimeout(kShort, receiver.Receive());
      EXPECT_TRUE(absl::IsDeadlineExceeded(nothing.status()));
    }
  };
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  EXPECT_TRUE((*executor)->Run(Local::Main()).ok());
}

TEST(LimitedAwaitables, WakerAndRemoteHandle) {
  struct Local {
    static Task<absl::Status> SleepLong() {
      co_return co_await Sleep(absl::Hours(1));
    }
    static Task<void> Main(testing::WorkerForTest* worker) {
      Waker waker;
      absl::Status woken = co_await WithTimeout(kShort, waker.Wait());
      EXPECT_TRUE(absl::IsDeadlineExceeded(woken)) << woken;
      EXPECT_THAT(std::string(woken.message()), HasSubstr("a wake-up"));
      waker.handle().Wake();
      woken = co_await WithTimeout(kSecond, waker.Wait());
      EXPECT_TRUE(woken.ok()) << woken;
      // It cancels the remote task and waits for it.
      RemoteHandle<absl::Status> remote = SpawnOn(worker->handle(), SleepLong);
      const absl::Status ended = co_await WithTimeout(kShort, remote);
      EXPECT_TRUE(absl::IsDeadlineExceeded(ended)) << ended;
      EXPECT_FALSE(remote.valid());
    }
  };
  testing::WorkerForTest worker;
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  EXPECT_TRUE((*executor)->Run(Local::Main(&worker)).ok());
}

// --- Races: what arrives in the turn of the deadline arrives once.

Task<void> SendAll(Channel<int>* channel, int n, std::minstd_rand* random) {
  for (int i = 0; i < n;) {
    (co_await Sleep(absl::Microseconds((*random)() % 4))).IgnoreError();
    int value = i;
    const absl::Status sent = co_await WithTimeout(
        absl::Microseconds(1 + (*random)() % 4), channel->Send(value));
    if (sent.ok()) ++i;
  }
  channel->Close();
}

Task<int> ReceiveAll(Channel<int>* channel, std::minstd_rand* random,
                     int* n_exceeded) {
  int next = 0;
  while (true) {
    (co_await Sleep(absl::Microseconds((*random)() % 4))).IgnoreError();
    const absl::StatusOr<int> value = co_await WithTimeout(
        absl::Microseconds(1 + (*random)() % 4), channel->Receive());
    if (value.ok()) {
      EXPECT_EQ(*value, next);
      ++next;
    } else if (absl::IsDeadlineExceeded(value.status())) {
      ++*n_exceeded;
    } else {
      EXPECT_TRUE(absl::IsUnavailable(value.status())) << value.status();
      co_return next;
    }
  }
}

TEST(LimitedAwaitables, OfAChannelLoseNothingAndRepeatNothing) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::minstd_rand random(seed);
    VirtualTimeExecutor executor;
    Channel<int> channel(seed % 3);
    int n_exceeded = 0;
    executor->Spawn(SendAll(&channel, 300, &random)).Detach();
    EXPECT_EQ(*executor->Run(ReceiveAll(&channel, &random, &n_exceeded)), 300);
    EXPECT_GT(n_exceeded, 0);
  }
}

Task<void> SendShared(SharedSender<int> sender, int n) {
  for (int i = 0; i < n;) {
    const absl::Status sent =
        co_await WithTimeout(absl::Microseconds(20), sender.Send(int{i}));
    if (sent.ok()) ++i;
  }
}

Task<int> ReceiveShared(SharedReceiver<int> receiver) {
  int next = 0;
  while (true) {
    const absl::StatusOr<int> value =
        co_await WithTimeout(absl::Microseconds(20), receiver.Receive());
    if (value.ok()) {
      EXPECT_EQ(*value, next);
      ++next;
    } else if (!absl::IsDeadlineExceeded(value.status())) {
      co_return next;
    }
  }
}

TEST(LimitedAwaitables, OfAChannelBetweenThreadsLoseNothingAndRepeatNothing) {
  testing::WorkerForTest worker;
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  auto [sender, receiver] = MakeSharedChannel<int>(2);
  static_cast<void>(
      SpawnOn(worker.handle(), SendShared, std::move(sender), 2'000));
  EXPECT_EQ(*(*executor)->Run(ReceiveShared(std::move(receiver))), 2'000);
}

}  // namespace
}  // namespace ringway
