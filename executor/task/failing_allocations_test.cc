// SPDX-License-Identifier: Apache-2.0
//
// Running out of memory while a backend, a loop or an executor is made:
// std::bad_alloc, and nothing is left behind.

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/make_backend.h"
#include "ringway/backends/testing/failing_allocation.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/executor.h"

namespace ringway {
namespace {

using testing::FailEachAllocation;

class FailingAllocations : public ::testing::TestWithParam<BackendKind> {
 protected:
  void SetUp() override {
    unsetenv("RINGWAY_BACKEND");  // each asks for its own
    options_.loop.backend.kind = GetParam();
    absl::StatusOr<std::unique_ptr<Backend>> made = MakeBackend(backend());
    if (!made.ok()) GTEST_SKIP() << made.status();
  }

  const BackendOptions& backend() const { return options_.loop.backend; }

  ExecutorOptions options_;
};

TEST_P(FailingAllocations, LeaveNothingOfABackend) {
  const uint64_t n = FailEachAllocation([this] {
    absl::StatusOr<std::unique_ptr<Backend>> made = MakeBackend(backend());
    EXPECT_TRUE(made.ok()) << made.status();
  });
  EXPECT_GT(n, 0u);
}

TEST_P(FailingAllocations, LeaveNothingOfALoop) {
  const uint64_t n = FailEachAllocation([this] {
    absl::StatusOr<std::unique_ptr<Loop>> made = Loop::Create(options_.loop);
    EXPECT_TRUE(made.ok()) << made.status();
  });
  EXPECT_GT(n, 1u) << "a loop is more than its backend";
}

TEST_P(FailingAllocations, LeaveNothingOfAnExecutor) {
  const uint64_t n = FailEachAllocation([this] {
    absl::StatusOr<std::unique_ptr<Executor>> made = Executor::Create(options_);
    EXPECT_TRUE(made.ok()) << made.status();
  });
  EXPECT_GT(n, 2u) << "an executor is more than its loop";
}

Task<void> DoNothing() { co_return; }

TEST_P(FailingAllocations, LeaveNothingOfATask) {
  const uint64_t n = FailEachAllocation([this] {
    absl::StatusOr<std::unique_ptr<Executor>> made = Executor::Create(options_);
    EXPECT_TRUE(made.ok()) << made.status();
    Task<void> task = DoNothing();
    JoinHandle<void> handle = (*made)->Spawn(std::move(task));
  });
  EXPECT_GT(n, 4u) << "a task is a frame and a slot";
}

INSTANTIATE_TEST_SUITE_P(Kinds, FailingAllocations,
                         ::testing::Values(BackendKind::kAuto,
                                           BackendKind::kUring,
                                           BackendKind::kEpoll),
                         [](const auto& info) {
                           return std::string(BackendKindName(info.param));
                         });

}  // namespace
}  // namespace ringway
