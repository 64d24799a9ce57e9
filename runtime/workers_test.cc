// SPDX-License-Identifier: Apache-2.0
//
// Workers of a runtime that call each other.

#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/remote/spawn_on.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/runtime.h"

namespace ringway {
namespace {

using net::testing::ValueOf;

constexpr int kWorkers = 3;

// Adds up the indices that all workers return.
Task<absl::Status> AskEachWorker(std::promise<int>* sum) {
  if (CurrentWorker() != 1) co_return absl::OkStatus();
  int answers = 0;
  for (int i = 0; i < kWorkers; ++i) {
    const absl::StatusOr<int> answer =
        co_await SpawnOn(CurrentWorkers()[i], CurrentWorker);
    EXPECT_EQ(*answer, i);
    answers += 1;
  }
  EXPECT_EQ(CurrentWorkers().size(), size_t{kWorkers});
  EXPECT_EQ(CurrentWorkers()[1], ExecutorHandle::Current());
  sum->set_value(answers);
  co_return absl::OkStatus();
}

TEST(Workers, OneCallsTheOthers) {
  std::promise<int> answers;
  Runtime::Builder builder;
  builder.Workers(kWorkers).OnStart([&] { return AskEachWorker(&answers); });
  const std::unique_ptr<Runtime> runtime = ValueOf(builder.Launch());
  EXPECT_EQ(answers.get_future().get(), kWorkers);
}

TEST(Workers, AreKnownOutsideAndRefuseOnceTheyHaveEnded) {
  Runtime::Builder builder;
  builder.Workers(kWorkers);
  std::unique_ptr<Runtime> runtime = ValueOf(builder.Launch());
  const std::vector<ExecutorHandle> workers = runtime->workers();
  ASSERT_EQ(workers.size(), size_t{kWorkers});
  for (int i = 0; i < kWorkers; ++i) {
    RemoteHandle<int> who = SpawnOn(workers[i], CurrentWorker);
    while (!who.done()) std::this_thread::yield();
    EXPECT_EQ(*who.TakeResult(), i);
  }

  runtime.reset();

  for (const ExecutorHandle& worker : workers) {
    RemoteHandle<int> who = SpawnOn(worker, CurrentWorker);
    ASSERT_TRUE(who.done());
    EXPECT_TRUE(absl::IsUnavailable(who.TakeResult().status()));
  }
}

TEST(Workers, ThreadThatIsNoneKnowsNone) {
  EXPECT_EQ(CurrentWorker(), -1);
  EXPECT_TRUE(CurrentWorkers().empty());
}

}  // namespace
}  // namespace ringway
