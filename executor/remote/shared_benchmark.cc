// SPDX-License-Identifier: Apache-2.0
//
// The cost of communication between workers. Both threads run continuously,
// so the figures are only meaningful on a machine with two free cores. Every
// benchmark reports heap allocations per item, of all threads, as `allocs`,
// and the number of wake-ups of the other side as `doorbells`.

#include <sys/eventfd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/loop/spinner.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/remote/shared_channel.h"
#include "ringway/executor/remote/spawn_on.h"
#include "ringway/executor/remote/wake_handle.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/worker_for_test.h"

namespace ringway {
namespace {

using testing::WorkerForTest;

ExecutorOptions Spinning(SpinMode spin) {
  ExecutorOptions options;
  options.loop.spin = spin;
  return options;
}

// A benchmark's other side, and its counters.
class Other {
 public:
  explicit Other(benchmark::State& state, SpinMode spin = SpinMode::kAdaptive)
      : state_(state), worker_(Spinning(spin)) {}
  const ExecutorHandle& handle() const { return worker_.handle(); }

  void Begin() { before_ = testing::CountAllocations(); }
  void Report(int64_t items_per_iteration) {
    const double items =
        static_cast<double>(state_.iterations()) * items_per_iteration;
    const uint64_t allocations = testing::CountAllocations() - before_;
    worker_.Stop();
    state_.SetItemsProcessed(state_.iterations() * items_per_iteration);
    state_.counters["allocs"] = allocations / items;
    state_.counters["doorbells"] =
        worker_.stats().loop.backend.notifications / items;
    state_.counters["per_item"] = benchmark::Counter(
        items, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  }

 private:
  benchmark::State& state_;
  WorkerForTest worker_;
  uint64_t before_ = 0;
};

// Keeps a worker busy: one turn after the other.
Task<void> Spin(const std::atomic<bool>* stop) {
  while (!*stop) (co_await Sleep(absl::ZeroDuration())).IgnoreError();
}

// --- Messages to a running loop, as many at a time as the argument: the cost
// --- for the sender

struct Ping : InboxMessage {
  Ping() : InboxMessage(&Receive) {}
  static void Receive(InboxMessage& message, bool) {
    Ping& self = static_cast<Ping&>(message);
    if (self.received != nullptr)
      self.received->fetch_add(1, std::memory_order_release);
  }
  std::atomic<uint64_t>* received = nullptr;  // set in the last one of a batch
};

void BM_SendToBusyLoop(benchmark::State& state) {
  Other other(state);
  std::atomic<bool> stop{false};
  RemoteHandle<void> spin = SpawnOn(other.handle(), Spin, &stop);
  // While one batch is received the next is sent.
  std::atomic<uint64_t> received{0};
  std::vector<Ping> batches[2] = {std::vector<Ping>(state.range(0)),
                                  std::vector<Ping>(state.range(0))};
  for (std::vector<Ping>& batch : batches) batch.back().received = &received;
  uint64_t sent = 0;
  other.Begin();
  for (auto _ : state) {
    while (received.load(std::memory_order_acquire) + 1 < sent)
      std::this_thread::yield();
    const auto start = std::chrono::steady_clock::now();
    for (Ping& ping : batches[sent % 2]) other.handle().Send(ping);
    const auto taken = std::chrono::steady_clock::now() - start;
    state.SetIterationTime(std::chrono::duration<double>(taken).count());
    ++sent;
  }
  while (received.load(std::memory_order_acquire) < sent)
    std::this_thread::yield();
  stop = true;
  while (!spin.done()) std::this_thread::yield();
  other.Report(state.range(0));
}
BENCHMARK(BM_SendToBusyLoop)->Arg(16)->Arg(256)->UseManualTime();

// --- A task that sleeps, woken, and back

Task<void> Reflect(WakeHandle* mine, WakeHandle theirs,
                   std::atomic<bool>* ready) {
  Waker waker;
  *mine = waker.handle();
  *ready = true;
  while ((co_await waker.Wait()).ok()) theirs.Wake();
}

Task<void> WakeThereAndBack(benchmark::State& state, Other* other) {
  Waker waker;
  WakeHandle theirs;
  std::atomic<bool> ready{false};
  RemoteHandle<void> reflect =
      SpawnOn(other->handle(), Reflect, &theirs, waker.handle(), &ready);
  while (!ready) co_await Yield();
  other->Begin();
  for (auto _ : state) {
    theirs.Wake();
    (co_await waker.Wait()).IgnoreError();
  }
  reflect.Cancel();
  (co_await reflect).IgnoreError();
}
void BM_WakeThereAndBack(benchmark::State& state, SpinMode spin) {
  Other other(state, spin);
  auto executor = *Executor::Create(Spinning(spin));
  executor->Run(WakeThereAndBack(state, &other)).IgnoreError();
  other.Report(1);
}
BENCHMARK_CAPTURE(BM_WakeThereAndBack, spinning, SpinMode::kAdaptive)
    ->UseRealTime();
BENCHMARK_CAPTURE(BM_WakeThereAndBack, sleeping, SpinMode::kOff)->UseRealTime();

// The lower bound: two threads that block in reads of eventfds.
void BM_EventfdThereAndBack(benchmark::State& state) {
  const UniqueFd there(eventfd(0, EFD_CLOEXEC)), back(eventfd(0, EFD_CLOEXEC));
  std::atomic<bool> stop{false};
  std::thread other([&] {
    eventfd_t n;
    while (eventfd_read(there.get(), &n) == 0 && !stop)
      eventfd_write(back.get(), 1);
  });
  eventfd_t n;
  for (auto _ : state) {
    eventfd_write(there.get(), 1);
    eventfd_read(back.get(), &n);
  }
  stop = true;
  eventfd_write(there.get(), 1);
  other.join();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_EventfdThereAndBack)->UseRealTime();

// --- Values through a channel of 1,024

Task<void> SendUntilClosed(SharedSender<uint64_t> to) {
  while ((co_await to.Send(uint64_t{1})).ok()) continue;
}

Task<void> ReceiveMany(benchmark::State& state, Other* other) {
  auto [sender, receiver] = MakeSharedChannel<uint64_t>(1024);
  RemoteHandle<void> sends =
      SpawnOn(other->handle(), SendUntilClosed, std::move(sender));
  (co_await receiver.Receive()).status().IgnoreError();
  other->Begin();
  for (auto _ : state) {
    for (int i = 0; i < 1000; ++i) {
      const auto value = co_await receiver.Receive();
      benchmark::DoNotOptimize(*value);
    }
  }
  receiver.Close();
  (co_await sends).IgnoreError();
}
void BM_ChannelMessage(benchmark::State& state) {
  Other other(state);
  auto executor = *Executor::Create();
  executor->Run(ReceiveMany(state, &other)).IgnoreError();
  other.Report(1000);
}
BENCHMARK(BM_ChannelMessage)->UseRealTime();

// --- Calls, as many at a time as the argument

Task<int> Add(int a, int b) { co_return a + b; }

Task<void> CallMany(benchmark::State& state, Other* other) {
  std::vector<RemoteHandle<int>> calls(state.range(0));
  for (RemoteHandle<int>& call : calls)
    call = SpawnOn(other->handle(), Add, 1, 2);
  for (RemoteHandle<int>& call : calls) static_cast<void>(co_await call);
  other->Begin();
  for (auto _ : state) {
    for (RemoteHandle<int>& call : calls)
      call = SpawnOn(other->handle(), Add, 1, 2);
    for (RemoteHandle<int>& call : calls) {
      const absl::StatusOr<int> sum = co_await call;
      benchmark::DoNotOptimize(*sum);
    }
  }
}
void BM_SpawnOnAndAwait(benchmark::State& state) {
  Other other(state);
  auto executor = *Executor::Create();
  executor->Run(CallMany(state, &other)).IgnoreError();
  other.Report(state.range(0));
}
BENCHMARK(BM_SpawnOnAndAwait)->Arg(1)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace ringway
