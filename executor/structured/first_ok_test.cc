// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/structured/first_ok.h"

#include <cerrno>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using absl::Seconds;

// Ends OK with its name after a time, and logs its start and end.
Task<absl::StatusOr<char>> Succeed(char name, absl::Duration after,
                                   std::string* log) {
  log->push_back(name);
  const absl::Status slept = co_await Sleep(after);
  if (slept.ok()) co_return name;
  log->push_back('-');
  log->push_back(name);
  co_return slept;
}

Task<absl::StatusOr<char>> Fail(char name, absl::Duration after,
                                std::string* log) {
  log->push_back(name);
  const absl::Status slept = co_await Sleep(after);
  if (!slept.ok()) co_return slept;
  co_return absl::NotFoundError(std::string(1, name));
}

class FirstOkTest : public ::testing::Test {
 protected:
  absl::StatusOr<char> Run(absl::Duration stagger) {
    const MonotonicTime began = executor_.Now();
    absl::StatusOr<char> result =
        executor_->Run(FirstOk(std::move(tasks_), stagger));
    took_ = executor_.Now() - began;
    EXPECT_EQ(executor_->stats().tasks_alive, 0u);
    EXPECT_FALSE(executor_->loop().alive());
    return result;
  }

  VirtualTimeExecutor executor_;
  std::vector<Task<absl::StatusOr<char>>> tasks_;
  std::string log_;
  absl::Duration took_;
};

TEST_F(FirstOkTest, OfOneThatIsQuickStartsNoOther) {
  tasks_.push_back(Succeed('a', Seconds(1), &log_));
  tasks_.push_back(Succeed('b', Seconds(1), &log_));
  EXPECT_EQ(*Run(Seconds(2)), 'a');
  EXPECT_EQ(log_, "a");
  EXPECT_EQ(took_, Seconds(1));
}

TEST_F(FirstOkTest, StartsThemAStaggerApartAndCancelsTheLosers) {
  tasks_.push_back(Succeed('a', Seconds(10), &log_));
  tasks_.push_back(Succeed('b', Seconds(3), &log_));
  tasks_.push_back(Succeed('c', Seconds(10), &log_));
  tasks_.push_back(Succeed('d', Seconds(1), &log_));
  EXPECT_EQ(*Run(Seconds(2)), 'b');  // from 2 s to 5 s; d would start at 6 s
  EXPECT_EQ(took_, Seconds(5));
  EXPECT_EQ(log_.substr(0, 3), "abc");
  EXPECT_NE(log_.find("-a"), std::string::npos);
  EXPECT_NE(log_.find("-c"), std::string::npos);
  EXPECT_EQ(log_.find('d'), std::string::npos);
}

TEST_F(FirstOkTest, AFailureStartsTheNextAtOnce) {
  tasks_.push_back(Fail('a', Seconds(1), &log_));
  tasks_.push_back(Succeed('b', Seconds(1), &log_));
  EXPECT_EQ(*Run(absl::Hours(1)), 'b');
  EXPECT_EQ(took_, Seconds(2));
}

TEST_F(FirstOkTest, WithoutStaggerStartsAllAtOnce) {
  tasks_.push_back(Succeed('a', Seconds(3), &log_));
  tasks_.push_back(Succeed('b', Seconds(2), &log_));
  tasks_.push_back(Succeed('c', Seconds(1), &log_));
  EXPECT_EQ(*Run(absl::ZeroDuration()), 'c');
  EXPECT_EQ(took_, Seconds(1));
}

TEST_F(FirstOkTest, WithAnInfiniteStaggerTriesOneAfterTheOther) {
  tasks_.push_back(Fail('a', Seconds(10), &log_));
  tasks_.push_back(Fail('b', Seconds(10), &log_));
  tasks_.push_back(Succeed('c', Seconds(10), &log_));
  EXPECT_EQ(*Run(absl::InfiniteDuration()), 'c');
  EXPECT_EQ(took_, Seconds(30));
}

TEST_F(FirstOkTest, IfAllFailGivesTheFirstFailureAndCountsTheOthers) {
  tasks_.push_back(Fail('a', Seconds(3), &log_));
  tasks_.push_back(Fail('b', Seconds(1), &log_));
  tasks_.push_back(Fail('c', Seconds(1), &log_));
  EXPECT_EQ(Run(Seconds(1)).status(),
            absl::NotFoundError("b (and 2 others failed)"));
  tasks_.clear();
  tasks_.push_back(Fail('a', Seconds(3), &log_));
  EXPECT_EQ(Run(Seconds(1)).status(), absl::NotFoundError("a"));
}

TEST_F(FirstOkTest, OfNoTasksIsAnError) {
  EXPECT_TRUE(absl::IsInvalidArgument(Run(Seconds(1)).status()));
}

Task<absl::Status> Refuse(int errnum) {
  co_await Yield();
  co_return ErrnoToStatus(errnum, "connect");
}
Task<absl::Status> Succeed() { co_return absl::OkStatus(); }

TEST_F(FirstOkTest, KeepsTheErrnoOfTheFirstFailure) {
  const absl::Status status = executor_->Run(
      FirstOk(Seconds(1), Refuse(ECONNREFUSED), Refuse(ENETUNREACH)));
  EXPECT_EQ(ErrnoOf(status), ECONNREFUSED);
}

TEST_F(FirstOkTest, OfNamedTasksAndStatusesWorksTheSame) {
  EXPECT_TRUE(executor_
                  ->Run(FirstOk(Seconds(1), Refuse(ENETUNREACH), Succeed(),
                                Refuse(EPERM)))
                  .ok());
}

// --- Exceptions.

Task<absl::StatusOr<char>> Throw(absl::Duration after) {
  static_cast<void>(co_await Sleep(after));
  throw std::runtime_error("thrown");
}

TEST_F(FirstOkTest, AnExceptionEndsTheRaceAndIsThrownOnceTheOthersAreGone) {
  tasks_.push_back(Succeed('a', Seconds(10), &log_));
  tasks_.push_back(Throw(Seconds(1)));
  EXPECT_THROW(static_cast<void>(Run(Seconds(1))), std::runtime_error);
  EXPECT_EQ(log_, "a-a");
  EXPECT_EQ(executor_->stats().tasks_alive, 0u);
  EXPECT_EQ(executor_->stats().detached_exceptions, 0u);
}

// --- Cancelling.

Task<absl::StatusOr<char>> SucceedOnceCancelled() {
  static_cast<void>(co_await Sleep(absl::Hours(1)));
  co_return 'z';
}

TEST_F(FirstOkTest, WhenCancelledCancelsItsTasksAndStartsNoMore) {
  tasks_.push_back(Succeed('a', absl::Hours(1), &log_));
  tasks_.push_back(Succeed('b', absl::Hours(1), &log_));
  const absl::StatusOr<char> result = executor_->Run(
      WithTimeout(Seconds(1), FirstOk(std::move(tasks_), Seconds(2))));
  EXPECT_TRUE(absl::IsDeadlineExceeded(result.status())) << result.status();
  EXPECT_EQ(log_, "a-a");
}

TEST_F(FirstOkTest, WhenCancelledKeepsWhatATaskCameToAllTheSame) {
  tasks_.push_back(Succeed('a', absl::Hours(1), &log_));
  tasks_.push_back(SucceedOnceCancelled());
  const absl::StatusOr<char> result = executor_->Run(WithTimeout(
      Seconds(1), FirstOk(std::move(tasks_), absl::ZeroDuration())));
  EXPECT_EQ(*result, 'z');
}

TEST_F(FirstOkTest, CanBeDestroyedWithItsExecutor) {
  ExecutorOptions options;
  options.shutdown_grace = absl::ZeroDuration();
  VirtualTimeExecutor executor(options);
  tasks_.push_back(Succeed('a', absl::Hours(1), &log_));
  tasks_.push_back(Succeed('b', absl::Hours(1), &log_));
  executor->Spawn(FirstOk(std::move(tasks_), absl::Hours(1))).Detach();
  EXPECT_TRUE(executor->Run(SleepOnce(Seconds(1))).ok());
}

TEST_F(FirstOkTest, ATaskThatCannotBeSpawnedHasFailed) {
  ExecutorOptions options;
  options.max_tasks = 2;
  VirtualTimeExecutor executor(options);
  tasks_.push_back(Fail('a', Seconds(2), &log_));
  tasks_.push_back(Succeed('b', Seconds(1), &log_));  // refused: a runs
  EXPECT_TRUE(absl::IsResourceExhausted(
      executor->Run(FirstOk(std::move(tasks_), Seconds(1))).status()));
}

// --- Random races: the result must match a table of times.

TEST_F(FirstOkTest, OfRandomTimesTheEarliestToComeToSomethingWins) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    std::minstd_rand random(seed);
    const absl::Duration stagger = Seconds(random() % 4);
    const int n = 1 + static_cast<int>(random() % 5);
    absl::Duration start = absl::ZeroDuration();
    absl::Duration end = absl::InfiniteDuration();
    std::vector<absl::Duration> failures;
    for (int i = 0; i < n; ++i) {
      // Odd times: no two things happen at once.
      const absl::Duration takes =
          Seconds(1 + random() % 8) + absl::Milliseconds(1 << i);
      const bool ok = random() % 2 == 0;
      const char name = static_cast<char>('a' + i);
      tasks_.push_back(ok ? Succeed(name, takes, &log_)
                          : Fail(name, takes, &log_));
      if (start < end) {
        if (ok) {
          end = std::min(end, start + takes);
        } else {
          failures.push_back(start + takes);
        }
      }
      // The next starts a stagger later, or at the first failure from now on.
      absl::Duration next = start + stagger;
      for (absl::Duration failure : failures) {
        if (failure > start) next = std::min(next, failure);
      }
      start = next;
    }
    const absl::StatusOr<char> result = Run(stagger);
    EXPECT_EQ(result.ok(), end < absl::InfiniteDuration());
    if (result.ok()) {
      EXPECT_EQ(took_, end);
    }
    tasks_.clear();
  }
}

}  // namespace
}  // namespace ringway
