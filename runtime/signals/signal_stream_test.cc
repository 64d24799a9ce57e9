// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/signals/signal_stream.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/runtime/signals/signals_for_test.h"

namespace ringway {
namespace {

using testing::Disposition;
using testing::DispositionOf;
using testing::NextOf;
using testing::OpenOrDie;

class SignalStreamTest : public TaskTest {};

// One that this process has sent.
Signal Sent(int number, uint64_t merged = 0) {
  return {.number = number, .merged = merged, .sender = getpid()};
}

// True if nothing has come that was not taken.
Task<bool> IsEmpty(SignalStream* stream) {
  const absl::StatusOr<Signal> none =
      co_await WithTimeout(absl::Milliseconds(1), stream->Next());
  co_return absl::IsDeadlineExceeded(none.status());
}

// --- What comes

RINGWAY_KERNEL_TEST_F(SignalStreamTest, ASignalEndsTheWait) {
  SignalStream stream = OpenOrDie({SIGUSR1});
  JoinHandle<absl::StatusOr<Signal>> next = Spawn(NextOf(&stream));
  co_await Yield();
  EXPECT_FALSE(next.done());
  raise(SIGUSR1);
  EXPECT_EQ(*co_await next, Sent(SIGUSR1));
  EXPECT_TRUE(co_await IsEmpty(&stream)) << "it came twice";
}

RINGWAY_KERNEL_TEST_F(SignalStreamTest, WhatComesWhileNothingWaitsIsCounted) {
  SignalStream stream = OpenOrDie({SIGUSR1, SIGUSR2, SIGUSR1});
  for (int i = 0; i < 5; ++i) raise(SIGUSR1);
  raise(SIGUSR2);
  EXPECT_EQ(*co_await stream.Next(), Sent(SIGUSR1, 4));
  EXPECT_EQ(*co_await stream.Next(), Sent(SIGUSR2));
  EXPECT_TRUE(co_await IsEmpty(&stream));
}

RINGWAY_KERNEL_TEST_F(SignalStreamTest, NoNumberKeepsAnotherFromItsTurn) {
  SignalStream stream = OpenOrDie({SIGHUP, SIGUSR1, SIGUSR2});
  raise(SIGUSR2);
  std::vector<int> numbers;
  for (int i = 0; i < 4; ++i) {
    raise(SIGHUP);
    raise(SIGUSR1);
    numbers.push_back((co_await stream.Next())->number);
  }
  EXPECT_EQ(numbers, (std::vector<int>{SIGHUP, SIGUSR1, SIGUSR2, SIGHUP}));
}

RINGWAY_KERNEL_TEST_F(SignalStreamTest, EachStreamGetsWhatComesWhileItIsOpen) {
  SignalStream one = OpenOrDie({SIGUSR1});
  raise(SIGUSR1);
  SignalStream two = OpenOrDie({SIGUSR1, SIGUSR2});
  raise(SIGUSR1);
  raise(SIGUSR2);
  EXPECT_EQ(*co_await one.Next(), Sent(SIGUSR1, 1));
  EXPECT_EQ(*co_await two.Next(), Sent(SIGUSR1));
  EXPECT_EQ(*co_await two.Next(), Sent(SIGUSR2));
  EXPECT_TRUE(co_await IsEmpty(&one));
  { SignalStream dropped = std::move(two); }
  raise(SIGUSR1);
  EXPECT_EQ(*co_await one.Next(), Sent(SIGUSR1));
}

RINGWAY_KERNEL_TEST_F(SignalStreamTest, RealTimeSignalsComeAsWell) {
  SignalStream stream = OpenOrDie({SIGRTMIN, SIGRTMAX});
  for (const int number : {SIGRTMIN, SIGRTMAX}) {
    sigqueue(getpid(), number, sigval{});
    EXPECT_EQ(*co_await stream.Next(), Sent(number));
  }
  EXPECT_TRUE(co_await IsEmpty(&stream));
}

// A timer's signal is the kernel's: where others have the sender's process id
// it has the timer's number.
RINGWAY_KERNEL_TEST_F(SignalStreamTest, WhatTheKernelSendsHasNoSender) {
  SignalStream stream = OpenOrDie({SIGALRM});
  sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGALRM;
  timer_t timer;
  RINGWAY_ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
  const itimerspec soon = {.it_value = {.tv_nsec = 1}};
  timer_settime(timer, 0, &soon, nullptr);
  const absl::StatusOr<Signal> signal = co_await stream.Next();
  timer_delete(timer);
  EXPECT_EQ(signal->number, SIGALRM);
  EXPECT_EQ(signal->sender, 0);
}

// --- Waiting

RINGWAY_KERNEL_TEST_F(SignalStreamTest,
                      ADeadlineEndsTheWaitAndNamesTheSignals) {
  SignalStream stream = OpenOrDie({SIGUSR2, SIGUSR1});
  const absl::Status late =
      (co_await WithTimeout(absl::Milliseconds(2), stream.Next())).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(late)) << late;
  EXPECT_TRUE(absl::StrContains(late.message(), "a signal: SIGUSR1, SIGUSR2"))
      << late;
  raise(SIGUSR1);
  EXPECT_EQ(*co_await WithTimeout(absl::Seconds(60), stream.Next()),
            Sent(SIGUSR1));
}

Task<absl::StatusOr<Signal>> NextWhenCancelled(SignalStream* stream) {
  CurrentExecutor().current_task()->RequestCancel();
  co_return co_await stream->Next();
}

RINGWAY_KERNEL_TEST_F(SignalStreamTest, ACancelEndsTheWaitAndLosesNoSignal) {
  SignalStream stream = OpenOrDie({SIGUSR1});
  JoinHandle<absl::StatusOr<Signal>> waiting = Spawn(NextOf(&stream));
  co_await Yield();
  waiting.Cancel();
  EXPECT_TRUE(absl::IsCancelled((co_await waiting).status()));
  raise(SIGUSR1);
  JoinHandle<absl::StatusOr<Signal>> cancelled =
      Spawn(NextWhenCancelled(&stream));
  EXPECT_TRUE(absl::IsCancelled((co_await cancelled).status()));
  EXPECT_EQ(*co_await stream.Next(), Sent(SIGUSR1));
}

RINGWAY_KERNEL_TEST_F(SignalStreamTest, MayBeMovedWhileATaskWaits) {
  SignalStream stream = OpenOrDie({SIGUSR1});
  JoinHandle<absl::StatusOr<Signal>> next = Spawn(NextOf(&stream));
  co_await Yield();
  SignalStream moved = std::move(stream);
  raise(SIGUSR1);
  EXPECT_EQ(*co_await next, Sent(SIGUSR1));
  const absl::Status empty = (co_await stream.Next()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(empty));
  EXPECT_EQ(empty.message(), "the SignalStream is closed or was moved from");
  stream = std::move(moved);
  raise(SIGUSR1);
  EXPECT_EQ(*co_await stream.Next(), Sent(SIGUSR1));
}

// --- Dispositions

std::atomic<int> handled_by_program{0};

TEST(SignalStream, TheLastStreamRestoresWhatWasThere) {
  const auto executor = *Executor::Create();
  const Disposition own(SIGUSR1, [](int) { ++handled_by_program; });
  const auto before = DispositionOf(SIGUSR1), other = DispositionOf(SIGUSR2);
  {
    SignalStream one = OpenOrDie({SIGUSR1}, *executor);
    {
      SignalStream two = OpenOrDie({SIGUSR2, SIGUSR1}, *executor);
      EXPECT_NE(DispositionOf(SIGUSR2), other);
    }
    EXPECT_EQ(DispositionOf(SIGUSR2), other);
    EXPECT_NE(DispositionOf(SIGUSR1), before);
    raise(SIGUSR1);
    EXPECT_EQ(handled_by_program, 0);
  }
  EXPECT_EQ(DispositionOf(SIGUSR1), before);
  raise(SIGUSR1);
  EXPECT_EQ(handled_by_program, 1);
}

RINGWAY_KERNEL_TEST_F(SignalStreamTest, AnIgnoredSignalIsTakenOver) {
  const Disposition ignored(SIGUSR1, SIG_IGN);
  {
    SignalStream stream = OpenOrDie({SIGUSR1});
    EXPECT_FALSE(stream.IsIgnored(SIGUSR1));
    raise(SIGUSR1);
    EXPECT_EQ(*co_await stream.Next(), Sent(SIGUSR1));
  }
  EXPECT_EQ(DispositionOf(SIGUSR1), SIG_IGN);
}

RINGWAY_KERNEL_TEST_F(SignalStreamTest, WhatNohupIgnoresStaysIgnored) {
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) {
    const Disposition ignored(number, SIG_IGN);
    SignalStream stream = OpenOrDie({number, SIGUSR1});
    EXPECT_TRUE(stream.IsIgnored(number));
    EXPECT_FALSE(stream.IsIgnored(SIGUSR1));
    EXPECT_FALSE(stream.IsIgnored(SIGUSR2)) << "not asked for";
    EXPECT_EQ(DispositionOf(number), SIG_IGN);
    raise(number);
    raise(SIGUSR1);
    EXPECT_EQ(*co_await stream.Next(), Sent(SIGUSR1));
    EXPECT_TRUE(co_await IsEmpty(&stream));
  }
}

RINGWAY_KERNEL_TEST_F(SignalStreamTest, AStreamOfIgnoredSignalsAloneIsQuiet) {
  const Disposition ignored(SIGHUP, SIG_IGN);
  SignalStream stream = OpenOrDie({SIGHUP});
  raise(SIGHUP);
  EXPECT_TRUE(co_await IsEmpty(&stream));
  const Disposition wanted(SIGHUP, SIG_DFL);
  SignalStream another = OpenOrDie({SIGHUP});
  EXPECT_FALSE(another.IsIgnored(SIGHUP));
  raise(SIGHUP);
  EXPECT_EQ(*co_await another.Next(), Sent(SIGHUP));
}

TEST(SignalStream, RefusesWhatCannotBeWaitedForByName) {
  const auto executor = *Executor::Create();
  const std::vector<std::pair<int, std::string>> wrong = {
      {SIGKILL, "SIGKILL"},      {SIGSTOP, "SIGSTOP"}, {SIGABRT, "SIGABRT"},
      {SIGBUS, "SIGBUS"},        {SIGFPE, "SIGFPE"},   {SIGILL, "SIGILL"},
      {SIGSEGV, "SIGSEGV"},      {SIGSYS, "SIGSYS"},   {SIGTRAP, "SIGTRAP"},
      {0, "signal 0"},           {-1, "signal -1"},    {NSIG, "signal 65"},
      {__SIGRTMIN, "signal 32"},
  };
  for (const auto& [number, name] : wrong) {
    const auto before = DispositionOf(SIGUSR1);
    const absl::Status refused =
        SignalStream::Open({SIGUSR1, number}, *executor).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << name;
    EXPECT_TRUE(absl::StrContains(refused.message(), name + " cannot be"))
        << refused;
    EXPECT_EQ(DispositionOf(SIGUSR1), before);
  }
  EXPECT_TRUE(
      absl::IsInvalidArgument(SignalStream::Open({}, *executor).status()));
}

// --- Threads, masks and fds

// Blocks a signal in the calling thread.
class Blocked {
 public:
  explicit Blocked(int number) {
    sigemptyset(&set_);
    sigaddset(&set_, number);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  Blocked(const Blocked&) = delete;
  Blocked& operator=(const Blocked&) = delete;
  ~Blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  // Takes one that is pending; false if none is.
  bool TakePending() const {
    const timespec at_once = {};
    return sigtimedwait(&set_, nullptr, &at_once) > 0;
  }

 private:
  sigset_t set_, before_;
};

// The only thread that has it unblocked is the one that streams share; it must
// not be when the default action, which ends the process, is back.
RINGWAY_KERNEL_TEST_F(SignalStreamTest, ASignalBlockedInAllThreadsComesAsWell) {
  const Blocked blocked(SIGUSR1);
  SignalStream other = OpenOrDie({SIGUSR2});
  for (int round = 0; round < 20; ++round) {
    {
      SignalStream stream = OpenOrDie({SIGUSR1});
      kill(getpid(), SIGUSR1);
      EXPECT_EQ(*co_await stream.Next(), Sent(SIGUSR1));
    }
    kill(getpid(), SIGUSR1);
    EXPECT_TRUE(blocked.TakePending()) << "no longer blocked everywhere";
  }
  kill(getpid(), SIGUSR1);
  SignalStream late = OpenOrDie({SIGUSR1});
  EXPECT_EQ(*co_await late.Next(), Sent(SIGUSR1)) << "it was pending";
}

RINGWAY_KERNEL_TEST_F(SignalStreamTest, StreamsShareOneThreadAndUseNoFd) {
  const auto n_fds = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  const auto n_before = n_fds();
  for (int round = 0; round < 3; ++round) {
    {
      std::vector<SignalStream> streams;
      for (int i = 0; i < 10; ++i)
        streams.push_back(OpenOrDie({SIGUSR1, SIGUSR2}));
      raise(SIGUSR1);
      for (SignalStream& stream : streams)
        EXPECT_EQ(*co_await stream.Next(), Sent(SIGUSR1));
      EXPECT_EQ(testing::ThreadsNamed("signals"), 1u);
      EXPECT_EQ(n_fds(), n_before);
    }
    // It was joined, which the kernel allows shortly before it is gone.
    for (int i = 0; i < 10'000 && testing::ThreadsNamed("signals") > 0; ++i)
      absl::SleepFor(absl::Milliseconds(1));
    EXPECT_EQ(testing::ThreadsNamed("signals"), 0u);
  }
}

// --- Its executor

TEST(SignalStream, IsOpenedOutsideOfAnExecutorAsWell) {
  const auto executor = *Executor::Create();
  SignalStream stream = OpenOrDie({SIGUSR1}, *executor);
  raise(SIGUSR1);
  EXPECT_EQ(*executor->Run(NextOf(&stream)), Sent(SIGUSR1));
}

TEST(SignalStream, TheEndOfItsExecutorClosesIt) {
  auto executor = *Executor::Create(), other = *Executor::Create();
  const auto before = DispositionOf(SIGUSR1);
  auto stream = std::make_unique<SignalStream>(OpenOrDie({SIGUSR1}, *executor));
  executor->Spawn(NextOf(stream.get())).Detach();
  EXPECT_NE(DispositionOf(SIGUSR1), before);
  executor.reset();
  EXPECT_EQ(DispositionOf(SIGUSR1), before);
  const absl::Status ended = other->Run(NextOf(stream.get())).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(ended)) << ended;
  EXPECT_EQ(ended.message(), "the loop of the SignalStream has ended");
  std::thread([&] { stream.reset(); }).join();
}

// --- Misuse

void WaitTwice() {
  const auto executor = *Executor::Create();
  SignalStream stream = OpenOrDie({SIGUSR1}, *executor);
  executor->Spawn(NextOf(&stream)).Detach();
  executor->Run(NextOf(&stream)).status().IgnoreError();
}

TEST(SignalStreamDeathTest, OneTaskWaitsAtATime) {
  EXPECT_DEATH(WaitTwice(), "two tasks wait for one SignalStream");
}

Task<void> DropWhatIsAwaited() {
  auto stream = std::make_unique<SignalStream>(OpenOrDie({SIGUSR1}));
  Spawn(NextOf(stream.get())).Detach();
  co_await Yield();
  stream.reset();
}

TEST(SignalStreamDeathTest, IsNotDestroyedWhileATaskWaitsForIt) {
  EXPECT_DEATH((*Executor::Create())->Run(DropWhatIsAwaited()).IgnoreError(),
               "a SignalStream was destroyed while a task waits for it");
}

void WaitElsewhere() {
  const auto one = *Executor::Create(), other = *Executor::Create();
  SignalStream stream = OpenOrDie({SIGUSR1}, *one);
  other->Run(NextOf(&stream)).status().IgnoreError();
}

void UseElsewhere(void (*use)(std::unique_ptr<SignalStream>&)) {
  const auto executor = *Executor::Create();
  auto stream = std::make_unique<SignalStream>(OpenOrDie({SIGUSR1}, *executor));
  std::thread([&] { use(stream); }).join();
}

TEST(SignalStreamDeathTest, IsForItsExecutorAlone) {
  EXPECT_DEATH(WaitElsewhere(),
               "a SignalStream was awaited by a task of another executor");
  constexpr char kForeign[] = "a SignalStream was used from a foreign thread";
  EXPECT_DEATH(UseElsewhere([](auto& stream) { stream.reset(); }), kForeign);
  EXPECT_DEATH(
      UseElsewhere([](auto& stream) { static_cast<void>(stream->Next()); }),
      kForeign);
  EXPECT_DEATH(UseElsewhere([](auto& stream) {
                 static_cast<void>(stream->IsIgnored(SIGHUP));
               }),
               kForeign);
}

TEST(SignalStreamDeathTest, IsOpenedForAnExecutor) {
  EXPECT_DEATH(SignalStream::Open({SIGUSR1}).status().IgnoreError(),
               "SignalStream::Open\\(\\) outside of a running executor");
}

}  // namespace
}  // namespace ringway
