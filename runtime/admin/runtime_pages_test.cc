// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/admin/runtime_pages.h"

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/testing/worker_for_test.h"
#include "ringway/runtime/metrics/ask_each_worker.h"

namespace ringway {
namespace {

std::string PageBy(const AdminPage& page) {
  std::unique_ptr<Executor> executor = *Executor::Create();
  absl::StatusOr<std::string> text = executor->Run(page());
  EXPECT_TRUE(text.ok()) << text.status();
  return text.ok() ? *text : "";
}

WorkerSnapshot SnapshotOfThisThread() {
  WorkerSnapshot snapshot;
  snapshot.executor = CurrentExecutor().stats();
  snapshot.counters.max_tasks = 77;
  return snapshot;
}

class RuntimePages : public ::testing::Test {
 protected:
  RuntimePages() {
    source_.workers = [this] {
      return std::vector<ExecutorHandle>{first_.handle(), second_.handle()};
    };
    source_.snapshot = [this](absl::Duration patience) {
      return TakeSnapshot(patience);
    };
    source_.registry = &registry_;
    source_.patience = absl::InfiniteDuration();
  }

  Task<RuntimeSnapshot> TakeSnapshot(absl::Duration patience) {
    RuntimeSnapshot snapshot;
    snapshot.workers = co_await AskEachWorker(source_.workers(),
                                              &SnapshotOfThisThread, patience);
    co_return snapshot;
  }

  testing::WorkerForTest first_;
  testing::WorkerForTest second_;
  MetricRegistry registry_;
  RuntimePagesSource source_;
};

TEST_F(RuntimePages, AskAllWorkers) {
  const AdminPages pages = MakeRuntimePages(source_);
  const std::string metrics = PageBy(pages.metrics);
  for (const char* line : {"\nringway_worker_up{worker=\"0\"} 1\n",
                           "\nringway_worker_up{worker=\"1\"} 1\n",
                           "\nringway_tasks{worker=\"1\"} 1\n",
                           "\nringway_tasks_limit{worker=\"0\"} 77\n"}) {
    EXPECT_TRUE(absl::StrContains(metrics, line)) << line << metrics;
  }
  const std::string tasks = PageBy(pages.tasks);
  EXPECT_TRUE(absl::StrContains(tasks, "worker 0: 1 tasks\n")) << tasks;
  EXPECT_TRUE(absl::StrContains(tasks, "worker 1: 1 tasks\n")) << tasks;
}

TEST_F(RuntimePages, HaveWhatWorkersShare) {
  Counter counter = *registry_.AddCounter("my_total", "Mine.");
  counter.Increment();
  source_.snapshot = [](absl::Duration) -> Task<RuntimeSnapshot> {
    PoolSnapshot pool;
    pool.name = "blocking";
    RuntimeSnapshot snapshot;
    snapshot.pools.push_back(pool);
    co_return snapshot;
  };
  const std::string metrics = PageBy(MakeRuntimePages(source_).metrics);
  EXPECT_TRUE(absl::StrContains(
      metrics, "\nringway_pool_threads{pool=\"blocking\"} 0\n"));
  EXPECT_TRUE(absl::StrContains(metrics, "\nmy_total 1\n"));
}

// g++ 12 destroys some temporaries of a co_await twice, here references to it.
TEST_F(RuntimePages, KeepTheirSource) {
  auto kept = std::make_shared<int>(7);
  const std::weak_ptr<int> seen = kept;
  source_.snapshot =
      [kept = std::move(kept)](absl::Duration) -> Task<RuntimeSnapshot> {
    co_return RuntimeSnapshot();
  };
  AdminPages pages = MakeRuntimePages(std::exchange(source_, {}));
  for (int i = 0; i < 5; ++i) {
    PageBy(pages.metrics);
    PageBy(pages.tasks);
  }
  EXPECT_FALSE(seen.expired());
  pages = AdminPages();
  EXPECT_TRUE(seen.expired());
}

TEST_F(RuntimePages, AreReadyAsTheSourceIs) {
  EXPECT_EQ(MakeRuntimePages(source_).ready, nullptr);
  std::atomic<bool> ready{false};
  source_.ready = [&ready] { return ready.load(); };
  const AdminPages pages = MakeRuntimePages(source_);
  EXPECT_FALSE(pages.ready());
  ready = true;
  EXPECT_TRUE(pages.ready());
}

TEST_F(RuntimePages, DoNotWaitForAStuckWorker) {
  source_.patience = absl::Milliseconds(50);
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  ASSERT_TRUE(second_.handle().Post([released] { released.wait(); }).ok());
  const AdminPages pages = MakeRuntimePages(source_);
  const std::string metrics = PageBy(pages.metrics);
  EXPECT_TRUE(
      absl::StrContains(metrics, "ringway_worker_up{worker=\"1\"} 0\n"));
  const std::string tasks = PageBy(pages.tasks);
  EXPECT_TRUE(
      absl::EndsWith(tasks, "worker 1: has ended, or did not answer\n"));
  release.set_value();
}

TEST(RuntimePagesDeathTest, NeedTheirSource) {
  EXPECT_DEATH(MakeRuntimePages(RuntimePagesSource()),
               "RuntimePagesSource needs `workers` and `snapshot`");
}

}  // namespace
}  // namespace ringway
