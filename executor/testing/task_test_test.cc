// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/testing/task_test.h"

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/sleep.h"

namespace ringway {
namespace {

using ::testing::HasSubstr;

// --- As users write them.

RINGWAY_TEST(TaskTest, RunsInVirtualTime) {
  const MonotonicTime began = Now();
  RINGWAY_ASSERT_OK(co_await Sleep(absl::Hours(10)));
  EXPECT_EQ(Now() - began, absl::Hours(10));
}

RINGWAY_KERNEL_TEST(TaskTest, RunsOnTheKernel) {
  RINGWAY_ASSERT_OK(co_await Sleep(absl::Milliseconds(1)));
  EXPECT_NE(loop().backend().name(), "sim");
}

class CountingTest : public TaskTest {
 protected:
  void SetUp() override {
    options().max_tasks = 3;
    TaskTest::SetUp();
    count_ = 1;
  }
  int count_ = 0;
};

RINGWAY_TEST_F(CountingTest, SeesItsFixture) {
  co_await Yield();
  EXPECT_EQ(count_, 1);
}
RINGWAY_KERNEL_TEST_F(CountingTest, SeesItsFixtureOnTheKernel) {
  co_await Yield();
  EXPECT_EQ(count_, 1);
}
TEST_F(CountingTest, RunsATaskInAnOrdinaryTest) {
  struct Local {
    static Task<void> Count(int* count) {
      co_await Yield();
      ++*count;
    }
  };
  RunToEnd(Local::Count(&count_));
  EXPECT_EQ(count_, 2);
}

TEST(TestSeedTest, IsOneForTheWholeRun) { EXPECT_EQ(TestSeed(), TestSeed()); }

// --- How tests fail.

// A nested test with this body, whose failures are not those of the enclosing
// test.
class Inner : public TaskTest {
 public:
  using TaskTest::AllowTasksLeft;
  using TaskTest::options;
  using TaskTest::set_time_limit;
  using TaskTest::world;

  std::string Fail(Task<void> body) {
    ::testing::TestPartResultArray results;
    {
      ::testing::ScopedFakeTestPartResultReporter reporter(
          ::testing::ScopedFakeTestPartResultReporter::
              INTERCEPT_ONLY_CURRENT_THREAD,
          &results);
      SetUp();
      RunToEnd(std::move(body));
      TearDown();
    }
    std::string failures;
    for (int i = 0; i < results.size(); ++i)
      failures += results.GetTestPartResult(i).message();
    return failures;
  }

 private:
  void TestBody() override {}
};

Task<void> Assert(bool value, bool* went_on) {
  RINGWAY_ASSERT_TRUE(value) << "with a reason";
  *went_on = true;
}
Task<void> AssertEqual(int a, int b, bool* went_on) {
  co_await Yield();
  RINGWAY_ASSERT_EQ(a, b) << "with a reason";
  *went_on = true;
}
Task<void> AssertThat(std::string text, bool* went_on) {
  RINGWAY_ASSERT_THAT(text, HasSubstr("needle"));
  *went_on = true;
}
Task<void> AssertOk(absl::Status status, bool* went_on) {
  RINGWAY_ASSERT_OK(status) << "with a reason";
  *went_on = true;
}

TEST(TaskTestTest, AnAssertionEndsTheBodyWithItsReason) {
  bool went_on = false;
  EXPECT_THAT(Inner().Fail(Assert(false, &went_on)),
              HasSubstr("with a reason"));
  EXPECT_FALSE(went_on);
  EXPECT_THAT(Inner().Fail(AssertEqual(1, 2, &went_on)),
              ::testing::AllOf(HasSubstr("Expected equality"),
                               HasSubstr("with a reason")));
  EXPECT_FALSE(went_on);
  EXPECT_THAT(Inner().Fail(AssertThat("hay", &went_on)), HasSubstr("needle"));
  EXPECT_FALSE(went_on);
  EXPECT_THAT(Inner().Fail(AssertOk(absl::NotFoundError("key"), &went_on)),
              HasSubstr("status is NOT_FOUND: key"));
  EXPECT_FALSE(went_on);
}

TEST(TaskTestTest, AnAssertionThatHoldsLetsItGoOn) {
  bool went_on = false;
  EXPECT_EQ(Inner().Fail(Assert(true, &went_on)), "");
  EXPECT_TRUE(std::exchange(went_on, false));
  EXPECT_EQ(Inner().Fail(AssertEqual(1, 1, &went_on)), "");
  EXPECT_TRUE(std::exchange(went_on, false));
  EXPECT_EQ(Inner().Fail(AssertThat("a needle", &went_on)), "");
  EXPECT_TRUE(std::exchange(went_on, false));
  EXPECT_EQ(Inner().Fail(AssertOk(absl::OkStatus(), &went_on)), "");
  EXPECT_TRUE(went_on);
}

Task<void> CompareAll(bool* went_on) {
  co_await Yield();
  RINGWAY_ASSERT_FALSE(false);
  RINGWAY_ASSERT_NE(1, 2);
  RINGWAY_ASSERT_LT(1, 2);
  RINGWAY_ASSERT_LE(2, 2);
  RINGWAY_ASSERT_GT(2, 1);
  RINGWAY_ASSERT_GE(2, 2);
  RINGWAY_EXPECT_OK(absl::NotFoundError("soft"));
  *went_on = true;
}

TEST(TaskTestTest, TheOtherComparisonsCompareAndExpectOkGoesOn) {
  bool went_on = false;
  EXPECT_THAT(Inner().Fail(CompareAll(&went_on)), HasSubstr("soft"));
  EXPECT_TRUE(went_on);
}

Task<void> Throw() {
  co_await Yield();
  throw std::runtime_error("a cause");
}

TEST(TaskTestTest, WhatTheBodyThrowsIsReported) {
  EXPECT_THAT(Inner().Fail(Throw()), HasSubstr("the test has thrown: a cause"));
}

Task<void> SpawnThrowing() {
  Spawn(Throw()).Detach();
  (co_await Sleep(absl::Seconds(1))).IgnoreError();
}

TEST(TaskTestTest, WhatADetachedTaskThrowsIsReported) {
  EXPECT_THAT(Inner().Fail(SpawnThrowing()),
              HasSubstr("nobody joins has thrown: a cause"));
}

Task<void> WaitForEver() {
  (co_await Sleep(absl::InfiniteDuration())).IgnoreError();
}

TEST(TaskTestTest, ABodyThatHangsFailsWithADumpOfItsTasks) {
  Inner inner;
  inner.set_time_limit(absl::Seconds(3));
  EXPECT_THAT(inner.Fail(WaitForEver()),
              ::testing::AllOf(HasSubstr("longer than 3s"),
                               HasSubstr("\"the body of the test\""),
                               HasSubstr("waiting 3s for a sleep")));
}

// Only the limit is left to wait for: it must not abort.
TEST(TaskTestTest, ABodyThatHangsFailsWithoutALimitOfItsOwn) {
  EXPECT_THAT(Inner().Fail(WaitForEver()), HasSubstr("longer than 1000h"));
}

Task<void> LeaveATask() {
  Spawn(WaitForEver(), "left").Detach();
  co_await Yield();
}

TEST(TaskTestTest, TasksLeftBehindAreReportedUnlessAllowed) {
  EXPECT_THAT(
      Inner().Fail(LeaveATask()),
      ::testing::AllOf(HasSubstr("tasks are left"), HasSubstr("\"left\"")));
  Inner allowed;
  allowed.AllowTasksLeft();
  EXPECT_EQ(allowed.Fail(LeaveATask()), "");
}

Task<void> LeaveAnFd(Inner* test) {
  co_await Yield();
  test->world().world.SpawnProcess(absl::Seconds(1), /*status=*/0);
}

TEST(TaskTestTest, SimulatedFdsThatAreLeftOpenAreReported) {
  Inner inner;
  EXPECT_THAT(inner.Fail(LeaveAnFd(&inner)), HasSubstr("fds are left open"));
}

Task<void> LeaveAnEndingTask() {
  Task<void> task = WaitForEver();
  JoinHandle<void> ends = Spawn(std::move(task));
  co_await Yield();
  ends.Cancel();
}

TEST(TaskTestTest, TasksOnTheirWayOutAreNotLeftBehind) {
  EXPECT_EQ(Inner().Fail(LeaveAnEndingTask()), "");
}

}  // namespace
}  // namespace ringway
