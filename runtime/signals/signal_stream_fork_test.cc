// SPDX-License-Identifier: Apache-2.0
//
// Streams and forked children: what becomes of the parent's, and of the
// child's own.

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/core/check.h"
#include "ringway/core/thread_sanitizer.h"
#include "ringway/executor/task/executor.h"
#include "ringway/runtime/signals/signals_for_test.h"

namespace ringway {
namespace {

using testing::Disposition;
using testing::DispositionOf;
using testing::NextOf;
using testing::OpenOrDie;

constexpr char kForkedUnderThreadSanitizer[] =
    "under ThreadSanitizer a child of a process with several threads can start "
    "none and runs no handler of a signal";

// The exit code of a child that returns what `fn` does; minus the signal that
// ended it.
int EndOfChild(const std::function<int()>& fn) {
  const pid_t child = fork();
  RINGWAY_CHECK(child >= 0, "fork: errno %d", errno);
  if (child == 0) _exit(fn());
  int status = 0;
  RINGWAY_CHECK(waitpid(child, &status, 0) == child, "errno %d", errno);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// True if a stream that is opened here gets a signal of this process.
bool HasSignalsOfItsOwn(int number) {
  const std::unique_ptr<Executor> executor = *Executor::Create();
  SignalStream stream = OpenOrDie({number}, *executor);
  raise(number);
  const absl::StatusOr<Signal> signal = executor->Run(NextOf(&stream));
  return signal.ok() && *signal == Signal{.number = number, .sender = getpid()};
}

// A parent with a stream for SIGUSR1, which works to the end.
class SignalForkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (kThreadSanitizer) GTEST_SKIP() << kForkedUnderThreadSanitizer;
  }
  void Open(void (*before)(int)) {
    before_.emplace(SIGUSR1, before);
    stream_ = std::make_unique<SignalStream>(OpenOrDie({SIGUSR1}, *executor_));
  }
  void TearDown() override {
    if (stream_ == nullptr) return;
    raise(SIGUSR1);
    const Signal own = {.number = SIGUSR1, .sender = getpid()};
    EXPECT_EQ(*executor_->Run(NextOf(stream_.get())), own)
        << "the parent is touched";
  }

  std::unique_ptr<Executor> executor_ = *Executor::Create();
  std::optional<Disposition> before_;
  std::unique_ptr<SignalStream> stream_;
};

int RaiseAndReturn0() {
  raise(SIGUSR1);
  return 0;
}

TEST_F(SignalForkTest, AChildIsEndedByASignalAsBefore) {
  Open(SIG_DFL);
  EXPECT_EQ(EndOfChild(RaiseAndReturn0), -SIGUSR1);
}

TEST_F(SignalForkTest, AChildHandlesASignalAsBefore) {
  Open([](int) { _exit(42); });
  EXPECT_EQ(EndOfChild(RaiseAndReturn0), 42);
}

TEST_F(SignalForkTest, AChildIgnoresASignalAsBefore) {
  Open(SIG_IGN);
  EXPECT_EQ(EndOfChild(RaiseAndReturn0), 0);
}

TEST_F(SignalForkTest, AChildDropsTheParentsStreamAndAllIsAsBefore) {
  Open(SIG_DFL);
  EXPECT_EQ(EndOfChild([this] {
              stream_.reset();
              return RaiseAndReturn0();
            }),
            -SIGUSR1);
}

TEST_F(SignalForkTest, AChildCannotWaitForTheParentsStream) {
  Open(SIG_DFL);
  EXPECT_EQ(EndOfChild([this] {
              close(STDERR_FILENO);
              static_cast<void>(stream_->Next());
              return 0;
            }),
            -SIGABRT);
}

TEST_F(SignalForkTest, AChildMayOpenItsOwnAndRestoresWhatWasThere) {
  Open(SIG_IGN);
  EXPECT_EQ(EndOfChild([] {
              if (!HasSignalsOfItsOwn(SIGUSR1)) return 1;
              if (DispositionOf(SIGUSR1) != SIG_IGN) return 2;
              return HasSignalsOfItsOwn(SIGUSR2) ? 0 : 3;
            }),
            0);
}

// Another thread holds the locks when this one forks.
TEST_F(SignalForkTest, AChildWaitsForNoLockOfItsParent) {
  Open(SIG_IGN);
  std::atomic<bool> stop{false};
  const std::jthread churning([&stop] {
    const std::unique_ptr<Executor> executor = *Executor::Create();
    while (!stop) {
      const SignalStream stream = OpenOrDie({SIGHUP, SIGUSR2}, *executor);
    }
  });
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(EndOfChild([] { return HasSignalsOfItsOwn(SIGUSR2) ? 0 : 1; }),
              0);
  }
  stop = true;
}

bool ThreadsCanBeStarted() {
  try {
    std::thread([] {}).join();
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

TEST(SignalStreamLimits, WithoutAThreadOpeningIsAnErrorThatChangesNothing) {
  if (kThreadSanitizer) GTEST_SKIP() << kForkedUnderThreadSanitizer;
  constexpr int kLimitDoesNotBind = 77;
  const int end = EndOfChild([] {
    const std::unique_ptr<Executor> executor = *Executor::Create();
    const rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    setrlimit(RLIMIT_NPROC, &none);
    // Root has no limit.
    if (setresuid(65534, 65534, 65534) != 0 || ThreadsCanBeStarted())
      return kLimitDoesNotBind;
    const absl::Status refused =
        SignalStream::Open({SIGUSR1}, *executor).status();
    if (!absl::IsResourceExhausted(refused)) return 1;
    return DispositionOf(SIGUSR1) == SIG_DFL ? 0 : 2;
  });
  if (end == kLimitDoesNotBind) GTEST_SKIP() << "the limit does not bind here";
  EXPECT_EQ(end, 0);
}

}  // namespace
}  // namespace ringway
