// SPDX-License-Identifier: Apache-2.0
//
// Workers that call each other, throw, cancel and end, all at once: nothing is
// left behind.

#include <atomic>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/remote/spawn_on.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/worker_for_test.h"

namespace ringway {
namespace {

using testing::WorkerForTest;

struct Counts {
  std::atomic<int> alive{0};
  std::atomic<int> done{0};
};

struct Counted {
  explicit Counted(Counts* c) : counts(c) { ++counts->alive; }
  Counted(const Counted& other) : Counted(other.counts) {}
  ~Counted() { --counts->alive; }
  Counts* counts;
};

Task<Counted> Dawdle(Counted counted, uint32_t how) {
  if (how % 4 == 0)
    (co_await Sleep(absl::Microseconds(how % 64))).IgnoreError();
  if (how % 4 == 1) co_await Yield();
  if (how % 4 == 2) throw std::runtime_error("on purpose");
  co_return counted;
}

Task<void> CallOnce(ExecutorHandle worker, Counts* counts, uint32_t how) {
  RemoteHandle<Counted> call = SpawnOn(worker, Dawdle, Counted(counts), how);
  if (how % 5 == 0) co_return;
  if (how % 7 == 0) call.Cancel();
  try {
    (co_await call).status().IgnoreError();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "on purpose");
  }
}

Task<void> CallAtRandom(std::vector<ExecutorHandle> workers, Counts* counts,
                        uint32_t seed) {
  std::mt19937 random(seed);
  for (int i = 0; i < 300; ++i) {
    const uint32_t how = random();
    JoinHandle<void> call =
        Spawn(CallOnce(workers[how % workers.size()], counts, how));
    if (how % 3 == 0) co_await Yield();
    if (how % 11 == 0) call.Cancel();
    (co_await call).IgnoreError();
  }
  ++counts->done;
}

TEST(SpawnOn, WorkersThatCallEachOtherAndCancelLeaveNothingBehind) {
  const size_t fds = testing::CountOpenFds();
  Counts counts;
  {
    std::vector<WorkerForTest> workers(3);
    std::vector<ExecutorHandle> handles;
    for (WorkerForTest& worker : workers) handles.push_back(worker.handle());
    std::vector<RemoteHandle<void>> calls;
    for (uint32_t i = 0; i < 6; ++i)
      calls.push_back(
          SpawnOn(handles[i % 3], CallAtRandom, handles, &counts, i));
    for (RemoteHandle<void>& call : calls)
      while (!call.done()) std::this_thread::yield();
  }
  EXPECT_EQ(counts.done, 6);
  EXPECT_EQ(counts.alive, 0);
  EXPECT_EQ(testing::CountOpenFds(), fds);
}

// One worker after the other goes while all of them call each other.
TEST(SpawnOn, WorkersThatEndWhileOthersCallThemLeaveNothingBehind) {
  for (int round = 0; round < 20; ++round) {
    Counts counts;
    {
      std::vector<WorkerForTest> workers(3);
      std::vector<ExecutorHandle> handles;
      for (WorkerForTest& worker : workers) handles.push_back(worker.handle());
      for (uint32_t i = 0; i < 3; ++i)
        static_cast<void>(
            SpawnOn(handles[i], CallAtRandom, handles, &counts, i));
      for (int i = 0; i < round; ++i) std::this_thread::yield();
      for (WorkerForTest& worker : workers) worker.Stop();
    }
    ASSERT_EQ(counts.alive, 0);
  }
}

}  // namespace
}  // namespace ringway
