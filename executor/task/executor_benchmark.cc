// SPDX-License-Identifier: Apache-2.0
//
// The cost of tasks. Every benchmark reports heap allocations per item as
// `allocs`; it is 0 except for the first iteration. asio_benchmark.cc does
// some of the same with Asio.

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "ringway/backends/prepare.h"
#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/yield_if_needed.h"
#include "ringway/executor/testing/benchmark_support.h"

namespace ringway {
namespace {

using benchmarks::ItemReport;
using benchmarks::RunOnExecutor;

Task<int> Give(int value) { co_return value; }

Task<void> SpawnAndJoinAll(std::vector<JoinHandle<int>>& handles) {
  for (JoinHandle<int>& handle : handles) handle = Spawn(Give(1));
  for (JoinHandle<int>& handle : handles) {
    const absl::StatusOr<int> result = co_await handle;
    benchmark::DoNotOptimize(*result);
  }
}

ExecutorOptions ManyTasks() {
  ExecutorOptions options;
  options.max_tasks = 1 << 21;
  options.overrun_budget = absl::InfiniteDuration();
  return options;
}

// As many tasks have been alive before; with their number only cache and TLB
// misses grow.
Task<void> SpawnAndJoin(benchmark::State& state) {
  std::vector<JoinHandle<int>> handles(state.range(0));
  co_await SpawnAndJoinAll(handles);
  for (auto _ : state) co_await SpawnAndJoinAll(handles);
}
void BM_SpawnAndJoin(benchmark::State& state) {
  RunOnExecutor(state, state.range(0), SpawnAndJoin, ManyTasks());
}
BENCHMARK(BM_SpawnAndJoin)
    ->Arg(1)
    ->Arg(1024)
    ->Arg(4096)
    ->Arg(65536)
    ->Arg(1 << 18)
    ->Arg(1 << 20);

// More tasks than ever before: their memory comes from the kernel, page by
// page.
void BM_SpawnAndJoinForTheFirstTime(benchmark::State& state) {
  std::vector<JoinHandle<int>> handles(state.range(0));
  ItemReport report(state, state.range(0));
  for (auto _ : state) {
    auto executor = Executor::Create(ManyTasks());
    if (!executor.ok()) return state.SkipWithError("no executor");
    (*executor)->Run(SpawnAndJoinAll(handles)).IgnoreError();
  }
  report.Finish();
}
BENCHMARK(BM_SpawnAndJoinForTheFirstTime)
    ->Arg(65536)
    ->Arg(1 << 18)
    ->Arg(1 << 20);

Task<void> YieldOften(benchmark::State& state) {
  for (auto _ : state) {
    for (int i = 0; i < 1000; ++i) co_await Yield();
  }
}
void BM_Yield(benchmark::State& state) {
  RunOnExecutor(state, 1000, YieldOften);
}
BENCHMARK(BM_Yield);

// A YieldIfNeeded() that does not yield: a clock reading.
Task<void> YieldWhereNotNeeded(benchmark::State& state) {
  for (auto _ : state) {
    for (int i = 0; i < 1000; ++i) {
      co_await YieldIfNeeded();
      if (i % 100 == 0) co_await Yield();  // a fresh turn, a fresh slice
    }
  }
}
void BM_YieldIfNeeded(benchmark::State& state) {
  RunOnExecutor(state, 1000, YieldWhereNotNeeded);
}
BENCHMARK(BM_YieldIfNeeded);

// An await that does not suspend.
Task<void> AwaitWhatIsThere(benchmark::State& state) {
  Event event;
  event.Set();
  for (auto _ : state) {
    for (int i = 0; i < 1000; ++i) {
      const absl::Status status = co_await event.Wait();
      benchmark::DoNotOptimize(status.ok());
    }
  }
}
void BM_ImmediateAwait(benchmark::State& state) {
  RunOnExecutor(state, 1000, AwaitWhatIsThere);
}
BENCHMARK(BM_ImmediateAwait);

// Through the backend and the kernel, one at a time.
class [[nodiscard]] NopOp : public OperationAwait {
 public:
  NopOp() { PrepareNop(*this); }
  int32_t await_resume() const { return result; }
};

Task<void> AwaitNops(benchmark::State& state) {
  for (auto _ : state) {
    for (int i = 0; i < 100; ++i) {
      const int32_t result = co_await NopOp();
      benchmark::DoNotOptimize(result);
    }
  }
}
void BM_AwaitNop(benchmark::State& state) {
  RunOnExecutor(state, 100, AwaitNops);
}
BENCHMARK(BM_AwaitNop);

Task<void> CallChildren(benchmark::State& state) {
  for (auto _ : state) {
    for (int i = 0; i < 1000; ++i) {
      const int value = co_await Give(i);
      benchmark::DoNotOptimize(value);
    }
  }
}
void BM_CallChild(benchmark::State& state) {
  RunOnExecutor(state, 1000, CallChildren);
}
BENCHMARK(BM_CallChild);

Task<void> SleepForEver() {
  static_cast<void>(co_await Sleep(absl::InfiniteDuration()));
}
Task<absl::Status> SleepLong() { co_return co_await Sleep(absl::Hours(1)); }

// Spawn, arm, cancel, join, with many other timers armed.
Task<void> ArmAndCancel(benchmark::State& state) {
  for (int64_t i = 0; i < state.range(0); ++i) Spawn(SleepForEver()).Detach();
  co_await Yield();
  for (auto _ : state) {
    for (int i = 0; i < 100; ++i) {
      JoinHandle<absl::Status> sleeper = Spawn(SleepLong());
      co_await Yield();
      sleeper.Cancel();
      const absl::Status status = co_await sleeper;
      benchmark::DoNotOptimize(status.code());
    }
  }
}
void BM_SpawnSleepAndCancel(benchmark::State& state) {
  RunOnExecutor(state, 100, ArmAndCancel);
}
BENCHMARK(BM_SpawnSleepAndCancel)->Arg(0)->Arg(100'000);

// The timers of a loop, with many others armed.
void BM_ArmAndCancelTimer(benchmark::State& state) {
  constexpr int kPerIteration = 100;
  auto executor = Executor::Create();
  if (!executor.ok()) return state.SkipWithError("no executor");
  Loop& loop = (*executor)->loop();
  struct Nobody : Runnable {
    Nobody() : Runnable([](Runnable&) {}) {}
  } nobody;
  std::vector<std::unique_ptr<LoopTimer>> armed;
  for (int64_t i = 0; i < state.range(0); ++i) {
    armed.push_back(std::make_unique<LoopTimer>());
    armed.back()->on_fired = &nobody;
    loop.ArmTimer(*armed.back(),
                  loop.now() + absl::Hours(1) + absl::Microseconds(i));
  }
  LoopTimer timer;
  timer.on_fired = &nobody;
  ItemReport report(state, kPerIteration);
  for (auto _ : state) {
    for (int i = 0; i < kPerIteration; ++i) {
      loop.ArmTimer(timer, loop.now() + absl::Minutes(1));
      loop.DisarmTimer(timer);
    }
  }
  report.Finish();
  for (auto& each : armed) loop.DisarmTimer(*each);
}
BENCHMARK(BM_ArmAndCancelTimer)->Arg(100)->Arg(1'000'000);

// Another thread sends to a loop that never sleeps; per message received.
struct Ping : InboxMessage {
  explicit Ping(std::atomic<bool>* f) : InboxMessage(&Receive), in_flight(f) {}
  static void Receive(InboxMessage& message, bool) {
    static_cast<Ping&>(message).in_flight->store(false,
                                                 std::memory_order_release);
  }
  std::atomic<bool>* in_flight;
};

Task<void> ReceiveFromThread(benchmark::State& state) {
  constexpr int kMessages = 256;
  Executor& executor = *Executor::Current();
  std::shared_ptr<Inbox> inbox = executor.loop().inbox();
  std::atomic<bool> stop{false};
  std::thread sender([&stop, inbox] {
    std::vector<std::unique_ptr<Ping>> messages;
    auto flags = std::make_unique<std::atomic<bool>[]>(kMessages);
    for (int i = 0; i < kMessages; ++i)
      messages.push_back(std::make_unique<Ping>(&flags[i]));
    while (!stop.load(std::memory_order_relaxed)) {
      for (int i = 0; i < kMessages; ++i) {
        if (flags[i].load(std::memory_order_acquire)) continue;
        flags[i].store(true, std::memory_order_relaxed);
        inbox->Send(*messages[i]);
      }
    }
    for (int i = 0; i < kMessages; ++i) {
      while (flags[i].load(std::memory_order_acquire))
        std::this_thread::yield();
    }
    stop.store(false, std::memory_order_release);  // all came back
  });
  for (auto _ : state) {
    const uint64_t before = executor.loop().stats().messages;
    while (executor.loop().stats().messages < before + 10'000) {
      static_cast<void>(co_await Sleep(absl::ZeroDuration()));  // one turn
    }
  }
  stop.store(true);
  while (stop.load(std::memory_order_acquire)) co_await Yield();
  sender.join();
}
void BM_ReceiveFromThread(benchmark::State& state) {
  RunOnExecutor(state, 10'000, ReceiveFromThread);
}
BENCHMARK(BM_ReceiveFromThread)->UseRealTime();

}  // namespace
}  // namespace ringway
