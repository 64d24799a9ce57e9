// SPDX-License-Identifier: Apache-2.0
//
// No signal and no wake-up is lost, whatever the threads do meanwhile.
//
// raise(3) returns when the handler has run, so each of its signals counts and
// the sums below are exact. kill(2) may merge them, so what it sends is
// answered one by one.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/time/monotonic_time.h"
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

std::unique_ptr<Executor> MakeExecutor() {
  ExecutorOptions options;
  options.shutdown_grace = absl::ZeroDuration();
  return *Executor::Create(options);
}

// Waits until several threads are ready.
class Ready {
 public:
  void Announce() {
    n_.fetch_add(1);
    n_.notify_all();
  }
  void Await(int wanted) {
    for (int now = n_; now != wanted; now = n_) n_.wait(now);
  }

 private:
  std::atomic<int> n_{0};
};

// --- Sums

// Counts signals until there were `n`. Returns how many there were then.
Task<uint64_t> CountSignals(int number, uint64_t n, Ready* open) {
  SignalStream stream = OpenOrDie({number});
  open->Announce();
  uint64_t sum = 0;
  while (sum < n) {
    const absl::StatusOr<Signal> signal = co_await stream.Next();
    if (!signal.ok() || signal->number != number) co_return 0;
    sum += 1 + signal->merged;
  }
  co_return sum;
}

// A thread with an executor that counts.
std::jthread Counting(int number, uint64_t n, Ready* open, uint64_t* sum) {
  return std::jthread([=] {
    *sum = MakeExecutor()->Run(CountSignals(number, n, open)).value_or(0);
  });
}

TEST(SignalStreamStress, EachOfTwoWorkersCountsEverySignalOfAStorm) {
  const uint64_t n = testing::Scaled(10'000);
  Ready open;
  std::array<uint64_t, 2> sums = {};
  {
    const std::jthread one = Counting(SIGUSR1, n, &open, &sums[0]);
    const std::jthread two = Counting(SIGUSR1, n, &open, &sums[1]);
    open.Await(2);
    const std::jthread storm([n] {
      for (uint64_t i = 0; i < n; ++i) raise(SIGUSR1);
    });
  }
  EXPECT_EQ(sums[0], n);
  EXPECT_EQ(sums[1], n);
}

// Opens and closes streams of its own, and sends what comes to these alone.
void OpenAndClose(uint32_t seed, const std::atomic<bool>& stop) {
  std::mt19937 random(seed);
  const std::unique_ptr<Executor> executor = MakeExecutor();
  while (!stop) {
    const bool both = random() % 2 == 0;
    SignalStream stream = both ? OpenOrDie({SIGUSR1, SIGUSR2}, *executor)
                               : OpenOrDie({SIGUSR2}, *executor);
    raise(SIGUSR2);
    const absl::StatusOr<Signal> signal = executor->Run(NextOf(&stream));
    EXPECT_TRUE(signal.ok()) << signal.status();
  }
}

TEST(SignalStreamStress, ManyCountWhileOthersOpenAndClose) {
  const Disposition ignored(SIGUSR2, SIG_IGN);
  const auto before = DispositionOf(SIGUSR1);
  constexpr size_t kCounting = 24, kChurning = 10;
  const uint64_t n = testing::Scaled(2'000);
  Ready open;
  std::array<uint64_t, kCounting> sums = {};
  std::atomic<bool> stop{false};
  std::vector<std::jthread> churning;
  {
    std::vector<std::jthread> counting;
    for (uint64_t& sum : sums)
      counting.push_back(Counting(SIGUSR1, n, &open, &sum));
    open.Await(kCounting);
    for (uint32_t seed = 0; seed < kChurning; ++seed)
      churning.emplace_back([&stop, seed] { OpenAndClose(seed, stop); });
    for (uint64_t i = 0; i < n; ++i) raise(SIGUSR1);
  }
  stop = true;
  churning.clear();
  for (const uint64_t sum : sums) EXPECT_EQ(sum, n);
  EXPECT_EQ(DispositionOf(SIGUSR1), before);
  EXPECT_EQ(DispositionOf(SIGUSR2), SIG_IGN);
}

// --- Wake-ups

struct Asked {
  std::atomic<uint64_t> asked{0};
  std::atomic<uint64_t> answered{0};
};

Task<void> AnswerEach(int number, uint64_t n, Ready* open, Asked* mine) {
  SignalStream stream = OpenOrDie({number});
  open->Announce();
  for (uint64_t answered = 0; answered < n;) {
    EXPECT_TRUE((co_await stream.Next()).ok());
    answered = mine->asked.load();
    mine->answered.store(answered);
    mine->answered.notify_one();
  }
}

// One lost wake-up hangs this test.
TEST(SignalStreamStress, NoWakeUpIsLost) {
  const uint64_t n = testing::Scaled(10'000);
  Ready open;
  std::array<Asked, 2> workers;
  std::vector<std::jthread> threads;
  for (Asked& worker : workers) {
    threads.emplace_back([&open, n, mine = &worker] {
      EXPECT_TRUE(
          MakeExecutor()->Run(AnswerEach(SIGUSR1, n, &open, mine)).ok());
    });
  }
  open.Await(2);
  std::mt19937 random(1);
  for (uint64_t i = 1; i <= n; ++i) {
    for (Asked& worker : workers) worker.asked.store(i);
    kill(getpid(), SIGUSR1);
    if (i != n && random() % 4 != 0) continue;
    for (Asked& worker : workers) {
      for (uint64_t now = worker.answered; now < i; now = worker.answered)
        worker.answered.wait(now);
    }
  }
}

TEST(SignalStreamStress, SignalsRaceTheEndOfTheExecutor) {
  const Disposition ignored(SIGUSR1, SIG_IGN);
  std::atomic<bool> stop{false};
  const std::jthread storm([&stop] {
    while (!stop) kill(getpid(), SIGUSR1);
  });
  for (int round = 0; round < 200; ++round) {
    std::unique_ptr<Executor> executor = MakeExecutor();
    auto stream =
        std::make_unique<SignalStream>(OpenOrDie({SIGUSR1}, *executor));
    executor->Spawn(NextOf(stream.get())).Detach();
    for (int i = 0; i < round % 8; ++i) executor->Turn(MonotonicTime());
    executor.reset();
    EXPECT_EQ(DispositionOf(SIGUSR1), SIG_IGN);
    if (round % 2 == 0) std::jthread([&stream] { stream.reset(); });
  }
  stop = true;
}

// The message that says so is on its way to the executor, and finds no stream.
RINGWAY_KERNEL_TEST(SignalStreamClose, ASignalMayBeOnItsWay) {
  for (int round = 0; round < 200; ++round) {
    SignalStream stream = OpenOrDie({SIGPIPE});
    JoinHandle<absl::StatusOr<Signal>> next = Spawn(NextOf(&stream));
    co_await Yield();
    int fds[2];
    RINGWAY_ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
    close(fds[0]);
    EXPECT_EQ(write(fds[1], "x", 1), -1);
    close(fds[1]);
    next.Cancel();
    EXPECT_TRUE(absl::IsCancelled((co_await next).status()));
    const absl::StatusOr<Signal> kept =
        co_await WithTimeout(absl::Seconds(60), stream.Next());
    EXPECT_EQ(kept->number, SIGPIPE);
  }
}

}  // namespace
}  // namespace ringway
