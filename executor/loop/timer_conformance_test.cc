// SPDX-License-Identifier: Apache-2.0
//
// A loop's timers by the clock of every backend: never early, in order, on time
// and cheap in any number.

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/testing/loop_conformance.h"

namespace ringway::testing {
namespace {

absl::Duration CpuTimeOfThread() {
  rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return absl::DurationFromTimeval(usage.ru_utime) +
         absl::DurationFromTimeval(usage.ru_stime);
}

class TimerConformance : public LoopConformance {
 protected:
  // Records when it fires; arms its successor, if it has one, for a time
  // after its own deadline.
  struct Alarm : Runnable {
    explicit Alarm(TimerConformance& t) : Runnable(&OnFired), test(t) {
      timer.on_fired = this;
    }
    static void OnFired(Runnable& entry) {
      Alarm& self = static_cast<Alarm&>(entry);
      self.fired_at = self.test.Now();
      self.test.fired_.push_back(&self);
      if (self.next != nullptr) {
        self.test.Arm(*self.next,
                      self.timer.deadline() + absl::Microseconds(100));
      }
    }
    absl::Duration lateness() const { return fired_at - timer.deadline(); }

    TimerConformance& test;
    LoopTimer timer;
    MonotonicTime fired_at;
    Alarm* next = nullptr;
  };

  Alarm& NewAlarm() {
    alarms_.push_back(std::make_unique<Alarm>(*this));
    return *alarms_.back();
  }
  void Arm(Alarm& alarm, MonotonicTime deadline) {
    loop().ArmTimer(alarm.timer, deadline);
  }

  void TurnUntilAllHaveFired() {
    while (loop().Work(), fired_.size() < alarms_.size())
      loop().Wait(MonotonicTime::Infinite());
  }

  // None early, and in the order of their deadlines.
  void ExpectOrder() {
    for (size_t i = 0; i < fired_.size(); ++i) {
      ASSERT_GE(fired_[i]->lateness(), absl::ZeroDuration()) << i;
      if (i == 0) continue;
      ASSERT_LE(fired_[i - 1]->timer.deadline(), fired_[i]->timer.deadline());
    }
  }

  std::vector<std::unique_ptr<Alarm>> alarms_;
  std::vector<Alarm*> fired_;
};

TEST_P(TimerConformance, FiftyThousandInATenthOfASecondAreOnTimeAndCheap) {
  constexpr int kTimers = 50'000;
  const MonotonicTime began = Now() + absl::Milliseconds(20);
  for (int i = 0; i < kTimers; ++i) {
    // Any order: a step that shares no factor with their number.
    const int place = i * 7'919 % kTimers;
    Arm(NewAlarm(), began + place * absl::Microseconds(2));
  }
  const absl::Duration cpu_before = CpuTimeOfThread();
  TurnUntilAllHaveFired();
  const absl::Duration cpu = CpuTimeOfThread() - cpu_before;
  ExpectOrder();

  std::vector<absl::Duration> lateness;
  for (const Alarm* alarm : fired_) lateness.push_back(alarm->lateness());
  std::sort(lateness.begin(), lateness.end());
  const absl::Duration p99 = lateness[lateness.size() * 99 / 100];
  RecordProperty("p99_lateness", absl::FormatDuration(p99));
  RecordProperty("cpu", absl::FormatDuration(cpu));
  // Lateness is the machine's as much as the loop's, so it is only reported.
  // CPU time is the loop's own: some 50 ms, or minutes if anything is
  // quadratic.
  EXPECT_LT(cpu, absl::Seconds(5));
}

TEST_P(TimerConformance, ArmedFromALateCallbackAreNotEarlyEither) {
  Alarm* last = &NewAlarm();
  Alarm& first = *last;
  for (int i = 0; i < 50; ++i) {
    Alarm& next = NewAlarm();
    last->next = &next;
    last = &next;
  }
  // So late that most of the chain is overdue when it begins.
  Arm(first, Now() + -absl::Milliseconds(3));
  TurnUntilAllHaveFired();
  ExpectOrder();
}

// As Ctrl-Z and fg do.
TEST_P(TimerConformance, AStopOfTheProcessMakesNoneEarlyAndLosesNone) {
  RINGWAY_REQUIRES_KERNEL("clock, which goes on while a process is stopped");
  const pid_t self = getpid();
  const pid_t stopper = fork();
  ASSERT_GE(stopper, 0);
  if (stopper == 0) {
    const timespec before = {.tv_sec = 0, .tv_nsec = 50'000'000};
    const timespec stopped = {.tv_sec = 1, .tv_nsec = 0};
    nanosleep(&before, nullptr);
    kill(self, SIGSTOP);
    nanosleep(&stopped, nullptr);
    kill(self, SIGCONT);
    _exit(0);
  }
  const MonotonicTime began = Now();
  for (int i = 0; i < 200; ++i)
    Arm(NewAlarm(), began + i * absl::Milliseconds(10));
  TurnUntilAllHaveFired();
  ExpectOrder();
  EXPECT_GE(Now() - began, absl::Milliseconds(1990));
  int status;
  ASSERT_EQ(waitpid(stopper, &status, 0), stopper);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(TimerConformance);

}  // namespace
}  // namespace ringway::testing
