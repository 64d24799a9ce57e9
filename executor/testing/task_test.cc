// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/testing/task_test.h"

#include <cerrno>
#include <cstdio>
#include <exception>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/sleep.h"

namespace ringway {
namespace {

// After the body, for tasks that are ending.
constexpr int kTurnsToEnd = 20;
// The grace for a body that ignores its cancel, and then for its executor.
constexpr absl::Duration kGrace = absl::Seconds(5);

std::string Describe(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

}  // namespace

void TaskTest::SetUp() {
  const bool in_virtual_time = runs_on() == RunsOn::kVirtualTime;
  if (time_limit_ == absl::ZeroDuration())
    time_limit_ = in_virtual_time ? absl::Hours(1'000) : absl::Minutes(1);
  if (!options_.on_detached_exception) {
    options_.on_detached_exception = [](const std::exception_ptr& exception) {
      ADD_FAILURE() << "a task that nobody joins has thrown: "
                    << Describe(exception);
    };
  }
  if (in_virtual_time) {
    world_ = std::make_unique<VirtualTimeExecutor>(options_, TestSeed());
    executor_ = world_->executor.get();
    return;
  }
  absl::StatusOr<std::unique_ptr<Executor>> executor =
      Executor::Create(options_);
  const int errnum = ErrnoOf(executor.status());
  if (errnum == EPERM || errnum == ENOSYS) {
    GTEST_SKIP() << "the kernel refuses every backend: " << executor.status();
  }
  ASSERT_TRUE(executor.ok()) << executor.status();
  on_kernel_ = *std::move(executor);
  executor_ = on_kernel_.get();
}

void TaskTest::TearDown() {
  executor_ = nullptr;
  on_kernel_.reset();
  if (world_ != nullptr) {
    world_->executor.reset();
    EXPECT_EQ(world_->world.leaks(), "") << "fds are left open";
    for (const std::string& error : world_->world.errors())
      ADD_FAILURE() << error;
    world_.reset();
  }
  if (HasFailure()) {
    std::fprintf(stderr, "RINGWAY_SEED=%llu repeats it\n",
                 static_cast<unsigned long long>(TestSeed()));
  }
}

void TaskTest::RunToEnd(Task<void> body) {
  Task<void> main = Supervise(std::move(body));
  executor().Run(std::move(main)).IgnoreError();
}

Task<void> TaskTest::Supervise(Task<void> body) {
  JoinHandle<void> test = Spawn(std::move(body), "the body of the test");
  absl::Status ended = co_await WithTimeout(time_limit_, test.Wait());
  if (absl::IsDeadlineExceeded(ended)) {
    ADD_FAILURE() << "the test takes longer than "
                  << absl::FormatDuration(time_limit_) << ":\n"
                  << executor().DumpTasks();
    tasks_may_be_left_ = true;  // they have just been printed
  }
  try {
    ended = co_await CancelWithin(kGrace, test);
  } catch (...) {
    ADD_FAILURE() << "the test has thrown: "
                  << Describe(std::current_exception());
  }
  if (!tasks_may_be_left_) co_await ReportTasksLeft();
}

Task<void> TaskTest::ReportTasksLeft() {
  for (int i = 0; i < kTurnsToEnd && executor().stats().tasks_alive > 1; ++i)
    (co_await Sleep(absl::ZeroDuration())).IgnoreError();
  if (executor().stats().tasks_alive == 1) co_return;  // this one
  ADD_FAILURE() << "tasks are left at the end of the test:\n"
                << executor().DumpTasks();
}

}  // namespace ringway
