// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/workers/run_on_workers.h"

#include <set>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"

namespace ringway::loadgen {
namespace {

using ::testing::ElementsAre;

struct Began {
  std::vector<int> workers;
  std::vector<MonotonicTime> at;
  std::set<std::thread::id> threads;

  void Merge(const Began& other) {
    workers.insert(workers.end(), other.workers.begin(), other.workers.end());
    at.insert(at.end(), other.at.begin(), other.at.end());
    threads.insert(other.threads.begin(), other.threads.end());
  }
};

Task<absl::StatusOr<MonotonicTime>> StartAfter(absl::Duration delay,
                                               StartLine& line, int worker) {
  absl::Status slept = co_await Sleep(delay);
  if (!slept.ok()) co_return slept;
  Task<absl::StatusOr<MonotonicTime>> start = WaitForStart(line, worker);
  co_return co_await std::move(start);
}

Began Begin(Executor& executor, const WorkerShare& share) {
  const absl::StatusOr<MonotonicTime> at = executor.Run(
      StartAfter(absl::Milliseconds(10 * (share.workers - share.worker)),
                 share.start, share.worker));
  EXPECT_TRUE(at.ok()) << at.status();
  EXPECT_GE(Clock::Real().Now(), *at);
  Began began;
  began.workers.push_back(share.worker);
  began.at.push_back(*at);
  began.threads.insert(std::this_thread::get_id());
  return began;
}

TEST(RunOnWorkersTest, EachHasAThreadAndAllBeginTogether) {
  const absl::StatusOr<Began> began = RunOnWorkers<Began>(4, -1, Begin);
  ASSERT_TRUE(began.ok()) << began.status();
  EXPECT_THAT(began->workers, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(began->threads.size(), 4u);
  EXPECT_TRUE(began->threads.contains(std::this_thread::get_id()));
  for (const MonotonicTime at : began->at) EXPECT_EQ(at, began->at[0]);
}

TEST(RunOnWorkersTest, OneThatEndsBeforeItsStartDoesNotHoldUpTheOthers) {
  const absl::StatusOr<Began> began = RunOnWorkers<Began>(
      3, -1, [](Executor& executor, const WorkerShare& share) {
        return share.worker == 1 ? Began() : Begin(executor, share);
      });
  ASSERT_TRUE(began.ok()) << began.status();
  EXPECT_THAT(began->workers, ElementsAre(0, 2));
}

TEST(RunOnWorkersTest, ACpuThatIsNotThereIsAnErrorAndNothingRuns) {
  const absl::StatusOr<Began> began =
      RunOnWorkers<Began>(2, 4'000, [](Executor&, const WorkerShare&) {
        ADD_FAILURE() << "it runs";
        return Began();
      });
  EXPECT_THAT(began.status().message(),
              ::testing::StartsWith("pinning to CPU 4000"));
}

TEST(WorkerShareTest, AllHaveAboutTheSameNumber) {
  StartLine line(3);
  for (int n = 0; n < 20; ++n) {
    std::set<int> indices;
    int sum = 0;
    for (int worker = 0; worker < 3; ++worker) {
      const WorkerShare share(worker, 3, line);
      const int count = share.CountOf(n);
      EXPECT_GE(count, n / 3);
      EXPECT_LE(count, n / 3 + 1);
      sum += count;
      for (int i = 0; i < count; ++i) indices.insert(share.IndexOf(i));
    }
    EXPECT_EQ(sum, n);
    EXPECT_EQ(indices.size(), static_cast<size_t>(n));
    if (n > 0) {
      EXPECT_EQ(*indices.rbegin(), n - 1);
    }
  }
}

}  // namespace
}  // namespace ringway::loadgen
