// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

// Of a test that fails if an answer does not come.
constexpr absl::Duration kForever = absl::InfiniteDuration();

size_t CountAnswers(const RuntimeSnapshot& snapshot) {
  return static_cast<size_t>(
      std::count_if(snapshot.workers.begin(), snapshot.workers.end(),
                    [](const auto& worker) { return worker.has_value(); }));
}

uint64_t SumAccepted(const RuntimeSnapshot& snapshot) {
  uint64_t sum = 0;
  for (const std::optional<WorkerSnapshot>& worker : snapshot.workers)
    sum += worker.has_value() ? worker->counters.accepted : 0;
  return sum;
}

class SnapshotTest : public RuntimeTest {};

TEST_F(SnapshotTest, HasTheCountersOfEachWorker) {
  Runtime::Builder builder;
  builder.Workers(2).Listen("127.0.0.1:0", Echo).MaxConnections(5);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd client = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(Ask(client.get(), "a"), "a");
  const RuntimeSnapshot snapshot = runtime->Snapshot(kForever);
  EXPECT_EQ(CountAnswers(snapshot), 2u);
  EXPECT_EQ(SumAccepted(snapshot), 1u);
  for (const std::optional<WorkerSnapshot>& worker : snapshot.workers) {
    EXPECT_EQ(worker->counters.max_connections, 5u);
    EXPECT_GT(worker->executor.loop.turns, 0u);
    EXPECT_TRUE(runtime->backend_description().starts_with(worker->backend));
  }
}

TEST_F(SnapshotTest, AWorkerThatHangsIsAbsent) {
  Runtime::Builder builder;
  builder.Workers(2);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  std::promise<void> release;
  std::shared_future<void> released(release.get_future());
  ASSERT_TRUE(runtime->workers()[1].Post([released] { released.wait(); }).ok());
  // The other one has as little time, which may be too little.
  RuntimeSnapshot snapshot;
  do {
    snapshot = runtime->Snapshot(absl::Milliseconds(20));
    EXPECT_FALSE(snapshot.workers[1].has_value());
  } while (!snapshot.workers[0].has_value());
  release.set_value();
  EXPECT_EQ(CountAnswers(runtime->Snapshot(kForever)), 2u);
}

TEST_F(SnapshotTest, TasksOfAWorkerAwaitIt) {
  Runtime::Builder builder;
  builder.Workers(2);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  std::promise<RuntimeSnapshot> taken;
  const auto take = [&taken]() -> Task<void> {
    taken.set_value(co_await Runtime::Current()->AwaitSnapshot(kForever));
  };
  ASSERT_TRUE(
      runtime->workers()[1].Post([&take] { Spawn(take()).Detach(); }).ok());
  const RuntimeSnapshot snapshot = taken.get_future().get();
  ASSERT_EQ(CountAnswers(snapshot), 2u);
  EXPECT_GE(snapshot.workers[1]->executor.tasks_alive, 2u);
}

TEST_F(SnapshotTest, SoDoTasksOfAnotherExecutor) {
  Runtime::Builder builder = OneWorker();
  std::unique_ptr<Runtime> runtime = Launch(builder);
  std::unique_ptr<Executor> executor = *Executor::Create();
  const absl::StatusOr<RuntimeSnapshot> snapshot =
      executor->Run(runtime->AwaitSnapshot(kForever));
  EXPECT_EQ(CountAnswers(*snapshot), 1u);
}

TEST_F(SnapshotTest, AfterTheEndAllWorkersAreAbsent) {
  Runtime::Builder builder;
  builder.Workers(3);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  runtime->Shutdown();
  runtime->Wait();
  const RuntimeSnapshot snapshot = runtime->Snapshot(kForever);
  EXPECT_EQ(snapshot.workers.size(), 3u);
  EXPECT_EQ(CountAnswers(snapshot), 0u);
  std::unique_ptr<Executor> executor = *Executor::Create();
  EXPECT_EQ(CountAnswers(*executor->Run(runtime->AwaitSnapshot(kForever))), 0u);
}

// A worker that waits for cancelled tasks in the end of its executor receives
// messages; its Worker had no executor any more to count.
TEST_F(SnapshotTest, AWorkerAnswersUntilItsExecutorHasEnded) {
  Runtime::Builder builder = OneWorker();
  ExecutorOptions options;
  options.shutdown_grace = absl::Milliseconds(100);
  const auto ignore_cancels = [](net::TcpStream stream) -> Task<absl::Status> {
    Shield shield;
    (co_await stream.Write(net::testing::Bytes("x"))).IgnoreError();
    co_return co_await Sleep(absl::InfiniteDuration());
  };
  builder.Options(options).Listen("127.0.0.1:0", ignore_cancels);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd client = ConnectTo(runtime->addresses()[0]);
  char greeting = 0;
  ASSERT_EQ(recv(client.get(), &greeting, 1, MSG_WAITALL), 1);
  runtime->Cut();
  RuntimeSnapshot snapshot;
  uint64_t most_forced = 0;
  while (true) {
    snapshot = runtime->Snapshot(kForever);
    if (CountAnswers(snapshot) == 0) break;
    most_forced = std::max(most_forced, snapshot.workers[0]->counters.forced);
  }
  EXPECT_EQ(most_forced, 1u) << "it did not answer in the end of its executor";
  EXPECT_EQ(runtime->Wait().forced, 1u);
}

TEST_F(SnapshotTest, ReturnsHoweverItMeetsTheEnd) {
  for (int i = 0; i < 20; ++i) {
    Runtime::Builder builder;
    builder.Workers(2).Listen("127.0.0.1:0", Echo);
    std::unique_ptr<Runtime> runtime = Launch(builder);
    std::atomic<bool> over{false};
    std::vector<std::thread> askers;
    for (int t = 0; t < 3; ++t) {
      askers.emplace_back([&] {
        while (!over.load()) {
          EXPECT_EQ(runtime->Snapshot(kForever).workers.size(), 2u);
        }
      });
    }
    runtime->Shutdown();
    runtime->Wait();
    over = true;
    for (std::thread& asker : askers) asker.join();
  }
}

class SnapshotDeathTest : public ::testing::Test {
 protected:
  SnapshotDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(SnapshotDeathTest, OnAWorkerNamesTheAlternative) {
  const auto ask_on_a_worker = [] {
    Runtime::Builder builder = OneWorker();
    std::unique_ptr<Runtime> runtime = *builder.Launch();
    std::promise<void> asked;
    runtime->workers()[0]
        .Post([&] {
          runtime->Snapshot();
          asked.set_value();
        })
        .IgnoreError();
    asked.get_future().wait();
  };
  EXPECT_DEATH(ask_on_a_worker(), "co_await Runtime::AwaitSnapshot\\(\\)");
}

}  // namespace
}  // namespace ringway
