// SPDX-License-Identifier: Apache-2.0
//
// The cost of the primitives. Every benchmark reports heap allocations per
// item as `allocs`.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "benchmark/benchmark.h"
#include "ringway/executor/sync/channel.h"
#include "ringway/executor/sync/mutex.h"
#include "ringway/executor/sync/notify.h"
#include "ringway/executor/sync/oneshot.h"
#include "ringway/executor/sync/semaphore.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/benchmark_support.h"

namespace ringway {
namespace {

constexpr int64_t kItems = 1000;  // per iteration

// Two tasks and a channel between them.
Task<void> ReceiveAll(Channel<int64_t>* channel) {
  while (true) {
    const absl::StatusOr<int64_t> value = co_await channel->Receive();
    if (!value.ok()) co_return;
    benchmark::DoNotOptimize(*value);
  }
}
Task<void> SendAndReceive(benchmark::State& state) {
  Channel<int64_t> channel(static_cast<size_t>(state.range(0)));
  JoinHandle<void> receiver = Spawn(ReceiveAll(&channel));
  for (auto _ : state) {
    for (int64_t i = 0; i < kItems; ++i) {
      const absl::Status sent = co_await channel.Send(i);
      benchmark::DoNotOptimize(sent.ok());
    }
  }
  channel.Close();
  static_cast<void>(co_await receiver);
}
void BM_ChannelBetweenTwoTasks(benchmark::State& state) {
  benchmarks::RunOnExecutor(state, kItems, SendAndReceive);
}
BENCHMARK(BM_ChannelBetweenTwoTasks)->Arg(0)->Arg(1)->Arg(64)->Arg(1024);

// One task, a value at a time: the channel alone.
Task<void> SendAndReceiveAlone(benchmark::State& state) {
  Channel<int64_t> channel(1);
  for (auto _ : state) {
    for (int64_t i = 0; i < kItems; ++i) {
      const absl::Status sent = co_await channel.Send(i);
      benchmark::DoNotOptimize(sent.ok());
      const absl::StatusOr<int64_t> received = co_await channel.Receive();
      benchmark::DoNotOptimize(received.ok());
    }
  }
}
void BM_ChannelWithoutWaiting(benchmark::State& state) {
  benchmarks::RunOnExecutor(state, kItems, SendAndReceiveAlone);
}
BENCHMARK(BM_ChannelWithoutWaiting);

Task<void> LockAndUnlock(benchmark::State& state) {
  Mutex mutex;
  for (auto _ : state) {
    for (int64_t i = 0; i < kItems; ++i) {
      const absl::StatusOr<MutexLock> lock = co_await mutex.Lock();
      benchmark::DoNotOptimize(lock.ok());
    }
  }
}
void BM_MutexWithoutWaiting(benchmark::State& state) {
  benchmarks::RunOnExecutor(state, kItems, LockAndUnlock);
}
BENCHMARK(BM_MutexWithoutWaiting);

Task<void> LockUntilStopped(Mutex* mutex, const bool* stop) {
  while (!*stop) static_cast<void>(co_await mutex->Lock());
}
Task<void> HandOver(benchmark::State& state) {
  Mutex mutex;
  bool stop = false;
  JoinHandle<void> other = Spawn(LockUntilStopped(&mutex, &stop));
  for (auto _ : state) {
    for (int64_t i = 0; i < kItems; ++i) {
      const absl::StatusOr<MutexLock> lock = co_await mutex.Lock();
      co_await Yield();  // lets the other task wait
    }
  }
  stop = true;
  static_cast<void>(co_await other);
}
void BM_MutexHandOver(benchmark::State& state) {
  benchmarks::RunOnExecutor(state, kItems, HandOver);
}
BENCHMARK(BM_MutexHandOver);

Task<void> AcquireAndRelease(benchmark::State& state) {
  Semaphore semaphore(8);
  for (auto _ : state) {
    for (int64_t i = 0; i < kItems; ++i) {
      const absl::StatusOr<SemaphorePermit> permit =
          co_await semaphore.Acquire(3);
      benchmark::DoNotOptimize(permit.ok());
    }
  }
}
void BM_SemaphoreWithoutWaiting(benchmark::State& state) {
  benchmarks::RunOnExecutor(state, kItems, AcquireAndRelease);
}
BENCHMARK(BM_SemaphoreWithoutWaiting);

// Two tasks that wake each other in turn.
Task<void> Echo(Notify* ping, Notify* pong) {
  while (true) {
    const absl::Status notified = co_await ping->Wait();
    if (!notified.ok()) co_return;
    pong->NotifyOne();
  }
}
Task<void> PingPong(benchmark::State& state) {
  Notify ping;
  Notify pong;
  JoinHandle<void> echo = Spawn(Echo(&ping, &pong));
  for (auto _ : state) {
    for (int64_t i = 0; i < kItems / 2; ++i) {
      ping.NotifyOne();
      static_cast<void>(co_await pong.Wait());
    }
  }
  echo.Cancel();
  static_cast<void>(co_await echo);
}
void BM_NotifyHandOver(benchmark::State& state) {
  benchmarks::RunOnExecutor(state, kItems, PingPong);
}
BENCHMARK(BM_NotifyHandOver);

Task<void> AskAndAnswer(benchmark::State& state) {
  for (auto _ : state) {
    for (int64_t i = 0; i < kItems; ++i) {
      Oneshot<int64_t> oneshot;
      const absl::Status sent = oneshot.sender.Send(i);
      benchmark::DoNotOptimize(sent.ok());
      const absl::StatusOr<int64_t> got = co_await oneshot.receiver.Receive();
      benchmark::DoNotOptimize(got.ok());
    }
  }
}
void BM_OneshotWithoutWaiting(benchmark::State& state) {
  benchmarks::RunOnExecutor(state, kItems, AskAndAnswer);
}
BENCHMARK(BM_OneshotWithoutWaiting);

}  // namespace
}  // namespace ringway
