// SPDX-License-Identifier: Apache-2.0
//
// RINGWAY_TEST: a GoogleTest test whose body is a task.
//
//   RINGWAY_TEST(Lines, ArriveInOrder) {
//     ringway::Channel<int> lines(1);
//     RINGWAY_ASSERT_OK(co_await lines.Send(7));
//     EXPECT_EQ(*co_await lines.Receive(), 7);
//   }
//
// It runs in virtual time, without a kernel; RINGWAY_KERNEL_TEST() runs on
// the backend that production would pick. RINGWAY_TEST_F() and
// RINGWAY_KERNEL_TEST_F() take a fixture derived from TaskTest. EXPECT_* work
// as usual. GoogleTest requires one fixture for all tests of a suite, so
// TEST() and RINGWAY_TEST() cannot be mixed in one. ASSERT_* contain a
// return, which coroutines do not allow: see assert.h.

#ifndef RINGWAY_EXECUTOR_TESTING_TASK_TEST_H_
#define RINGWAY_EXECUTOR_TESTING_TASK_TEST_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/check.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/testing/assert.h"
#include "ringway/executor/testing/test_seed.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {

// The fixture: an executor for each test. Besides its assertions, a test fails
//   - if its body has not ended within time_limit(); the waits of all tasks are
//     then printed;
//   - if its body or a detached task throws;
//   - if tasks are left when its body has ended;
//   - in virtual time, if simulated fds are left open at its end.
// A failed test prints the seed that repeats it (TestSeed()).
class TaskTest : public ::testing::Test {
 public:
  enum class RunsOn : uint8_t { kVirtualTime, kKernel };

 protected:
  // Makes the executor. Skips the test with the reason if the kernel refuses
  // every backend. A fixture's own SetUp() must call it first.
  void SetUp() override;
  // Destroys the executor, which cancels the remaining tasks. A fixture's own
  // TearDown() must call it last.
  void TearDown() override;

  Executor& executor() {
    RINGWAY_CHECK(executor_ != nullptr, "a TaskTest before its SetUp()");
    return *executor_;
  }
  Loop& loop() { return executor().loop(); }
  MonotonicTime Now() { return loop().backend().clock().Now(); }

  // The simulated world of a test in virtual time (checked): its faults,
  // clock, network and files.
  VirtualTimeExecutor& world() {
    RINGWAY_CHECK(world_ != nullptr, "a TaskTest that is not in virtual time");
    return *world_;
  }

  // The executor's options; change them before this class's SetUp().
  ExecutorOptions& options() { return options_; }

  // How long the body may take: by default a minute, or 1,000 hours of virtual
  // time.
  absl::Duration time_limit() const { return time_limit_; }
  void set_time_limit(absl::Duration limit) { time_limit_ = limit; }

  // For a test that leaves tasks to the end of its executor on purpose.
  void AllowTasksLeft() { tasks_may_be_left_ = true; }

  // Runs `body` as the macros do; for a TEST_F().
  void RunToEnd(Task<void> body);

  // Where the test runs; the macros override it.
  virtual RunsOn runs_on() const { return RunsOn::kVirtualTime; }

 private:
  Task<void> Supervise(Task<void> body);
  Task<void> ReportTasksLeft();

  ExecutorOptions options_;
  std::unique_ptr<VirtualTimeExecutor> world_;  // null: on the kernel
  std::unique_ptr<Executor> on_kernel_;
  Executor* executor_ = nullptr;
  absl::Duration time_limit_ = absl::ZeroDuration();  // zero: the default
  bool tasks_may_be_left_ = false;
};

}  // namespace ringway

#define RINGWAY_TEST(suite, name) \
  RINGWAY_DEFINE_TEST_(suite, name, ::ringway::TaskTest, kVirtualTime)
#define RINGWAY_TEST_F(fixture, name) \
  RINGWAY_DEFINE_TEST_(fixture, name, fixture, kVirtualTime)
#define RINGWAY_KERNEL_TEST(suite, name) \
  RINGWAY_DEFINE_TEST_(suite, name, ::ringway::TaskTest, kKernel)
#define RINGWAY_KERNEL_TEST_F(fixture, name) \
  RINGWAY_DEFINE_TEST_(fixture, name, fixture, kKernel)

// The body is a member function, so it can use the fixture's members. A base
// class takes no parentheses. NOLINTBEGIN(bugprone-macro-parentheses)
#define RINGWAY_DEFINE_TEST_(suite, name, fixture, where)                     \
  class suite##_##name##_TaskTest : public fixture {                          \
   private:                                                                   \
    void TestBody() override { RunToEnd(Body()); }                            \
    RunsOn runs_on() const override { return RunsOn::where; }                 \
    ::ringway::Task<void> Body();                                             \
  };                                                                          \
  [[maybe_unused]] static ::testing::TestInfo* const suite##_##name##_info_ = \
      ::testing::RegisterTest(                                                \
          #suite, #name, nullptr, nullptr, __FILE__, __LINE__,                \
          []() -> fixture* { return new suite##_##name##_TaskTest; });        \
  ::ringway::Task<void> suite##_##name##_TaskTest::Body()
// NOLINTEND(bugprone-macro-parentheses)

#endif  // RINGWAY_EXECUTOR_TESTING_TASK_TEST_H_
