// SPDX-License-Identifier: Apache-2.0
//
// What tasks cost. Every benchmark reports heap allocations per item as
// `allocs`; it is 0 but for the first iteration.

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "executor/executor.h"
#include "executor/inbox.h"
#include "executor/sleep.h"

namespace {
thread_local uint64_t heap_allocations = 0;
}  // namespace

void* operator new(size_t n_bytes) {
  ++heap_allocations;
  void* p = malloc(n_bytes > 0 ? n_bytes : 1);
  if (p == nullptr) abort();
  return p;
}
void operator delete(void* p) noexcept { free(p); }
void operator delete(void* p, size_t) noexcept { free(p); }

namespace ringway {
namespace {

// Runs `body(state)`, which is a task that loops over the state, and reports
// the figures per item.
template <typename Body>
void RunOnExecutor(benchmark::State& state, int64_t items_per_iteration,
                   Body body) {
  auto executor = Executor::Create();
  if (!executor.ok()) return state.SkipWithError("no executor");
  const uint64_t before = heap_allocations;
  if (!(*executor)->Run(body(state)).ok()) state.SkipWithError("failed");
  const double items =
      static_cast<double>(state.iterations()) * items_per_iteration;
  state.SetItemsProcessed(state.iterations() * items_per_iteration);
  state.counters["allocs"] = (heap_allocations - before) / items;
  state.counters["per_item"] = benchmark::Counter(
      items, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

Task<int> Give(int value) { co_return value; }

Task<void> SpawnAndJoin(benchmark::State& state) {
  std::vector<JoinHandle<int>> handles(state.range(0));
  for (auto _ : state) {
    for (JoinHandle<int>& handle : handles) handle = Spawn(Give(1));
    for (JoinHandle<int>& handle : handles) {
      const absl::StatusOr<int> result = co_await handle;
      benchmark::DoNotOptimize(*result);
    }
  }
}
void BM_SpawnAndJoin(benchmark::State& state) {
  RunOnExecutor(state, state.range(0), SpawnAndJoin);
}
BENCHMARK(BM_SpawnAndJoin)->Arg(1)->Arg(1024)->Arg(4096)->Arg(65536);

Task<void> YieldOften(benchmark::State& state) {
  for (auto _ : state) {
    for (int i = 0; i < 1000; ++i) co_await Yield();
  }
}
void BM_Yield(benchmark::State& state) {
  RunOnExecutor(state, 1000, YieldOften);
}
BENCHMARK(BM_Yield);

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

// Spawn, arm, cancel, join, beside so many that are armed.
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
    stop.store(false, std::memory_order_release);  // says: all came back
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
