// SPDX-License-Identifier: Apache-2.0

#include <atomic>
#include <thread>
#include <vector>

#include "benchmark/benchmark.h"
#include "ringway/core/containers/mpsc_queue.h"

namespace ringway {
namespace {

struct Message : MpscNode {};

// The cost per turn of an empty queue.
void BM_TakeAllOfEmpty(benchmark::State& state) {
  MpscQueue<Message> mailbox;
  for (auto _ : state) benchmark::DoNotOptimize(mailbox.TakeAll().empty());
}
BENCHMARK(BM_TakeAllOfEmpty);

// Per message, without contention, in batches of `range`.
void BM_PushTake(benchmark::State& state) {
  MpscQueue<Message> mailbox;
  std::vector<Message> messages(state.range(0));
  for (auto _ : state) {
    for (Message& message : messages) mailbox.Push(message);
    MpscBatch<Message> batch = mailbox.TakeAll();
    while (Message* message = batch.PopFront()) {
      benchmark::DoNotOptimize(message);
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_PushTake)->Arg(1)->Arg(64);

// Per push while a second thread takes continuously.
void BM_PushAgainstATaker(benchmark::State& state) {
  MpscQueue<Message> mailbox;
  std::vector<Message> messages(1 << 16);
  std::vector<std::atomic<bool>> free(messages.size());
  for (auto& is_free : free) is_free = true;
  std::atomic<bool> stop = false;
  std::thread taker([&] {
    while (!stop) {
      MpscBatch<Message> batch = mailbox.TakeAll();
      while (Message* message = batch.PopFront()) {
        free[message - messages.data()].store(true, std::memory_order_release);
      }
    }
  });
  size_t i = 0;
  for (auto _ : state) {
    while (!free[i].load(std::memory_order_acquire)) continue;
    free[i].store(false, std::memory_order_relaxed);
    mailbox.Push(messages[i]);
    i = (i + 1) % messages.size();
  }
  stop = true;
  taker.join();
  MpscBatch<Message> rest = mailbox.TakeAll();
  while (rest.PopFront() != nullptr) continue;
}
BENCHMARK(BM_PushAgainstATaker)->UseRealTime();

}  // namespace
}  // namespace ringway
