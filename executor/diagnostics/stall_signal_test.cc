// SPDX-License-Identifier: Apache-2.0
//
// What a StallDetector does to the process: its signal, its fork, misuse.

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/executor/diagnostics/stall_detector.h"
#include "ringway/executor/task/executor.h"

namespace ringway {
namespace {

using ::testing::HasSubstr;

void HandlerOfTheProgram(int) {}

struct sigaction DispositionOf(int number) {
  struct sigaction action = {};
  EXPECT_EQ(sigaction(number, nullptr, &action), 0);
  return action;
}

void Dispose(int number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  ASSERT_EQ(sigaction(number, &action, nullptr), 0);
}

bool IsBlocked(int number) {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, number) == 1;
}

absl::StatusOr<std::unique_ptr<StallDetector>> CreateFor(int number) {
  StallDetectorOptions options;
  options.signal = number;
  return StallDetector::Create(options);
}

std::unique_ptr<Executor> MakeAnExecutor() {
  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create();
  EXPECT_TRUE(executor.ok()) << executor.status();
  return *std::move(executor);
}

TEST(StallSignal, IsRestoredAfterTheLastDetector) {
  for (void (*before)(int) : {SIG_DFL, SIG_IGN}) {
    Dispose(SIGURG, before);
    auto first = CreateFor(SIGURG);
    auto second = CreateFor(SIGURG);
    ASSERT_TRUE(first.ok() && second.ok());
    first->reset();
    EXPECT_EQ(DispositionOf(SIGURG).sa_flags & (SA_RESTART | SA_SIGINFO),
              SA_RESTART | SA_SIGINFO);
    second->reset();
    EXPECT_EQ(DispositionOf(SIGURG).sa_handler, before);
  }
  Dispose(SIGURG, SIG_DFL);
}

TEST(StallSignal, IsNotTakenFromTheProgram) {
  Dispose(SIGUSR1, &HandlerOfTheProgram);
  const absl::Status status = CreateFor(SIGUSR1).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(status.message(), HasSubstr("StallDetectorOptions::signal"));
  EXPECT_EQ(DispositionOf(SIGUSR1).sa_handler, &HandlerOfTheProgram);
  Dispose(SIGUSR1, SIG_DFL);
}

TEST(StallSignal, IsLeftToAHandlerThatTheProgramInstallsMeanwhile) {
  auto detector = CreateFor(SIGUSR2);
  ASSERT_TRUE(detector.ok());
  Dispose(SIGUSR2, &HandlerOfTheProgram);
  detector->reset();
  EXPECT_EQ(DispositionOf(SIGUSR2).sa_handler, &HandlerOfTheProgram);
  Dispose(SIGUSR2, SIG_DFL);
}

TEST(StallSignal, IsUnblockedWhileTheThreadIsWatched) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGURG);
  auto detector = CreateFor(SIGURG);
  ASSERT_TRUE(detector.ok());
  const std::unique_ptr<Executor> executor = MakeAnExecutor();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  {
    const StallDetector::Watch watch = (*detector)->Attach(*executor, "w");
    EXPECT_FALSE(IsBlocked(SIGURG));
  }
  EXPECT_TRUE(IsBlocked(SIGURG));
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  { const StallDetector::Watch watch = (*detector)->Attach(*executor, "w"); }
  EXPECT_FALSE(IsBlocked(SIGURG));
}

TEST(StallSignal, DoesNothingWhenItComesFromElsewhere) {
  auto detector = CreateFor(SIGURG);
  ASSERT_TRUE(detector.ok());
  const std::unique_ptr<Executor> executor = MakeAnExecutor();
  const StallDetector::Watch watch = (*detector)->Attach(*executor, "w");
  raise(SIGURG);
  std::thread unwatched([] { raise(SIGURG); });
  unwatched.join();
  EXPECT_EQ((*detector)->stalls(), 0u);
}

TEST(StallOptions, AreChecked) {
  StallDetectorOptions options;
  options.budget = absl::Microseconds(999);
  absl::Status status = StallDetector::Create(options).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(status.message(), HasSubstr("StallDetectorOptions::budget"));
  for (int number : {0, -1, NSIG, SIGKILL, SIGSTOP}) {
    status = CreateFor(number).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << number << ": " << status;
    EXPECT_THAT(status.message(), HasSubstr("StallDetectorOptions::signal"));
  }
}

TEST(StallDetectorFork, LeavesTheChildAlone) {
  auto detector = CreateFor(SIGURG);
  ASSERT_TRUE(detector.ok());
  const std::unique_ptr<Executor> executor = MakeAnExecutor();
  StallDetector::Watch watch = (*detector)->Attach(*executor, "w");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    watch = StallDetector::Watch();
    detector->reset();
    raise(SIGURG);
    _exit(7);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(StallDetectorDeathTest, MustNotEndBeforeItsWatches) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto detector = CreateFor(SIGURG);
        const std::unique_ptr<Executor> executor = MakeAnExecutor();
        const StallDetector::Watch watch = (*detector)->Attach(*executor, "w");
        detector->reset();
      },
      "a StallDetector was destroyed while it watches a loop");
}

TEST(StallDetectorDeathTest, AttachesALoopOnItsThreadOnly) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto detector = CreateFor(SIGURG);
        const std::unique_ptr<Executor> executor = MakeAnExecutor();
        std::thread other([&] {
          const StallDetector::Watch watch =
              (*detector)->Attach(*executor, "w");
        });
        other.join();
      },
      "a StallDetector's loop");
}

}  // namespace
}  // namespace ringway
