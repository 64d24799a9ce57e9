// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/metrics/ask_each_worker.h"

#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/worker_for_test.h"
#include "ringway/runtime/metrics/tasks_page.h"

namespace ringway {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);
// For workers that never answer.
constexpr absl::Duration kShort = absl::Milliseconds(50);

// Runs `fn` on each worker, from a task of this thread.
template <typename F>
auto Ask(std::vector<ExecutorHandle> workers, F fn, absl::Duration patience) {
  std::unique_ptr<Executor> executor = *Executor::Create();
  auto answers =
      executor->Run(AskEachWorker(std::move(workers), std::move(fn), patience));
  EXPECT_TRUE(answers.ok()) << answers.status();
  return *answers;
}

TEST(AskEachWorker, CollectsTheResultsByWorker) {
  testing::WorkerForTest first;
  testing::WorkerForTest second;
  const auto answers = Ask(
      {first.handle(), second.handle()},
      [] { return std::this_thread::get_id(); }, kPatience);
  ASSERT_EQ(answers.size(), 2u);
  ASSERT_TRUE(answers[0].has_value());
  ASSERT_TRUE(answers[1].has_value());
  EXPECT_NE(*answers[0], *answers[1]);
  EXPECT_NE(*answers[0], std::this_thread::get_id());
}

TEST(AskEachWorker, WithoutWorkersItDoesNotWait) {
  EXPECT_TRUE(Ask(
                  {}, [] { return 1; }, absl::InfiniteDuration())
                  .empty());
}

TEST(AskEachWorker, AWorkerMayAskItself) {
  std::unique_ptr<Executor> executor = *Executor::Create();
  const std::vector<ExecutorHandle> workers = {ExecutorHandle(*executor)};
  const auto answers = executor->Run(AskEachWorker(
      workers, [] { return 7; }, absl::InfiniteDuration()));
  EXPECT_EQ(*answers, std::vector<std::optional<int>>{7});
}

TEST(AskEachWorker, AnEndedWorkerHasNoAnswerAndIsNotWaitedFor) {
  testing::WorkerForTest first;
  testing::WorkerForTest second;
  second.Stop();
  const auto answers = Ask(
      {second.handle(), first.handle(), ExecutorHandle()}, [] { return 7; },
      absl::InfiniteDuration());
  EXPECT_EQ(answers,
            (std::vector<std::optional<int>>{std::nullopt, 7, std::nullopt}));
}

TEST(AskEachWorker, ACallThatThrowsHasNoAnswer) {
  ExecutorOptions options;
  options.on_detached_exception = [](const std::exception_ptr&) {};
  testing::WorkerForTest worker(options);
  const auto throws = []() -> int { throw std::runtime_error("no"); };
  EXPECT_EQ(Ask({worker.handle()}, throws, absl::InfiniteDuration()),
            std::vector<std::optional<int>>{std::nullopt});
}

// A worker that computes for long must not hold up the others' answers.
TEST(AskEachWorker, DoesNotWaitForAWorkerThatIsStuck) {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  testing::WorkerForTest stuck;
  testing::WorkerForTest other;
  ASSERT_TRUE(stuck.handle().Post([released] { released.wait(); }).ok());
  // `other` has as little time, which on a busy machine may be too little.
  std::vector<std::optional<int>> answers(2);
  while (!answers[1].has_value()) {
    answers = Ask(
        {stuck.handle(), other.handle()}, [] { return 7; }, kShort);
    EXPECT_FALSE(answers[0].has_value());
  }
  EXPECT_EQ(answers[1], 7);
  release.set_value();
}

// The late answer finds the asking executor gone.
TEST(AskEachWorker, ALateAnswerIsDropped) {
  for (int i = 0; i < 20; ++i) {
    testing::WorkerForTest worker;
    std::promise<void> release;
    std::shared_future<void> released = release.get_future().share();
    ASSERT_TRUE(worker.handle().Post([released] { released.wait(); }).ok());
    auto alive = std::make_shared<int>(7);
    const auto answers = Ask(
        {worker.handle()}, [alive] { return alive; }, absl::ZeroDuration());
    EXPECT_FALSE(answers[0].has_value());
    release.set_value();
    worker.Stop();
    EXPECT_EQ(alive.use_count(), 1);
  }
}

TEST(TasksPage, ListsTheTasksOfEachWorker) {
  testing::WorkerForTest first;
  testing::WorkerForTest second;
  second.Stop();
  std::unique_ptr<Executor> executor = *Executor::Create();
  const std::vector<ExecutorHandle> workers = {first.handle(), second.handle()};
  const absl::StatusOr<std::string> page =
      executor->Run(TasksPage(workers, absl::InfiniteDuration()));
  ASSERT_TRUE(page.ok());
  EXPECT_TRUE(absl::StartsWith(*page, "worker 0: 1 tasks\n#")) << *page;
  EXPECT_TRUE(
      absl::EndsWith(*page, "\nworker 1: has ended, or did not answer\n"))
      << *page;
}

TEST(TasksPage, IsBounded) {
  std::unique_ptr<Executor> executor = *Executor::Create();
  const std::vector<ExecutorHandle> workers = {ExecutorHandle(*executor)};
  const auto wait = []() -> Task<void> {
    (co_await Sleep(absl::InfiniteDuration())).IgnoreError();
  };
  const auto main = [&]() -> Task<std::string> {
    for (size_t i = 0; i < kMostTasksListed + 4; ++i)
      Spawn(wait(), "many").Detach();
    Task<std::string> page = TasksPage(workers, absl::InfiniteDuration());
    co_return co_await std::move(page);
  };
  const absl::StatusOr<std::string> page = executor->Run(main());
  ASSERT_TRUE(page.ok());
  EXPECT_TRUE(absl::StartsWith(*page, "worker 0: 10005 tasks\n#"))
      << page->substr(0, 80);
  EXPECT_TRUE(absl::EndsWith(*page, "\nand 5 more (kMostTasksListed)\n"))
      << page->substr(page->size() - 80);
}

}  // namespace
}  // namespace ringway
