// SPDX-License-Identifier: Apache-2.0

#include "executor/loop.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "backends/prepare.h"
#include "backends/testing/sockets.h"
#include "core/clock.h"
#include "core/errno_status.h"
#include "executor/inbox.h"
#include "gtest/gtest.h"

namespace ringway {
namespace {

using testing::CountOpenFds;
using testing::FdPair;
using testing::MakePipe;
using testing::MakeSocketPair;
using testing::SendAll;

constexpr MonotonicTime kPast = MonotonicTime::FromNanoseconds(0);

struct Entry : Runnable {
  explicit Entry(std::function<void()> f)
      : Runnable([](Runnable& r) { static_cast<Entry&>(r).fn(); }),
        fn(std::move(f)) {}
  std::function<void()> fn;
};

struct CountedOperation : Operation {
  CountedOperation()
      : Operation([](Runnable& r) {
          ++static_cast<CountedOperation&>(r).completions;
        }) {}
  int completions = 0;
};

class LoopTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Loop>> loop = Loop::Create(LoopOptions());
    const int errnum = ErrnoOf(loop.status());
    if (errnum == EPERM || errnum == ENOSYS) {
      GTEST_SKIP() << "the kernel refuses every backend: " << loop.status();
    }
    ASSERT_TRUE(loop.ok()) << loop.status();
    loop_ = *std::move(loop);
  }

  static std::unique_ptr<Loop> MakeLoop(uint32_t ready_budget = 512) {
    LoopOptions options;
    options.ready_budget = ready_budget;
    return *Loop::Create(options);
  }

  void TearDown() override {
    if (loop_ != nullptr) loop_->DisarmTimer(overdue_);
  }

  // Turns until `done`. Looks every now and then, because what makes it true
  // may happen in the turn that then goes to sleep.
  void TurnUntil(const std::function<bool()>& done) {
    while (!done()) {
      loop_->Turn(loop_->backend().clock().Now() + absl::Microseconds(200));
    }
  }

  // Turns until Stop(), and sleeps for ever if a wake-up is lost.
  void TurnUntilStopped() {
    while (!stopped_) loop_->Turn(MonotonicTime::Infinite());
  }
  // For functions that the loop runs. An overdue timer, armed after the timers'
  // part of the turn, keeps the turn from going to sleep.
  void Stop() {
    stopped_ = true;
    overdue_.on_fired = &nothing_;
    loop_->Schedule(arm_overdue_);
  }

  std::unique_ptr<Loop> loop_;

 private:
  bool stopped_ = false;
  LoopTimer overdue_;
  Entry nothing_{[] {}};
  Entry arm_overdue_{[this] { loop_->ArmTimer(overdue_, kPast); }};
};

TEST_F(LoopTest, BudgetOfNothingIsRefused) {
  LoopOptions options;
  options.ready_budget = 0;
  EXPECT_EQ(Loop::Create(options).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// --- Ready entries

TEST_F(LoopTest, ReadyEntriesRunInTheOrderOfScheduling) {
  std::vector<int> order;
  Entry first([&] { order.push_back(1); });
  Entry second([&] { order.push_back(2); });
  Entry third([&] { order.push_back(3); });
  for (Entry* entry : {&first, &second, &third}) loop_->Schedule(*entry);

  loop_->Turn(kPast);

  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(loop_->stats().ready_run, 3u);
}

TEST_F(LoopTest, BudgetBoundsATurnAndIsCounted) {
  std::unique_ptr<Loop> loop = MakeLoop(/*ready_budget=*/4);
  int runs = 0;
  std::vector<std::unique_ptr<Entry>> entries;
  for (int i = 0; i < 10; ++i) {
    entries.push_back(std::make_unique<Entry>([&] { ++runs; }));
    loop->Schedule(*entries.back());
  }

  loop->Turn(MonotonicTime::Infinite());
  EXPECT_EQ(runs, 4);
  loop->Turn(MonotonicTime::Infinite());
  EXPECT_EQ(runs, 8);
  EXPECT_EQ(loop->stats().budget_exhausted, 2u);
  loop->Turn(kPast);
  EXPECT_EQ(runs, 10);
  EXPECT_EQ(loop->stats().budget_exhausted, 2u);
}

TEST_F(LoopTest, EntryThatReschedulesItselfStarvesNeitherTimersNorOperations) {
  FdPair sockets = MakeSocketPair();
  bool fired = false;
  Entry on_fired([&] { fired = true; });
  LoopTimer timer;
  timer.on_fired = &on_fired;
  CountedOperation recv;
  std::byte byte;
  PrepareRecv(recv, sockets.first.get(), {&byte, 1});
  bool stop = false;
  Entry greedy([&] {
    if (!stop) loop_->Schedule(greedy);
  });
  loop_->Start(recv);
  loop_->ArmTimer(timer, loop_->now() + absl::Milliseconds(1));
  loop_->Schedule(greedy);
  loop_->Turn(kPast);
  SendAll(sockets.second.get(), "x");

  TurnUntil([&] { return fired && recv.completions == 1; });

  stop = true;
  loop_->Turn(kPast);
  EXPECT_EQ(loop_->stats().backend.waits, 0u) << "it blocked while ready";
}

TEST_F(LoopTest, EntryThatThrowsLosesNoOther) {
  CountedOperation before, after;
  int runs = 0;
  Entry thrower([] { throw std::runtime_error("on purpose"); });
  Entry survivor([&] { ++runs; });
  PrepareNop(before);
  PrepareNop(after);
  loop_->Start(before);
  loop_->Start(after);
  loop_->Turn(kPast);  // both completions are ready now
  loop_->Schedule(thrower);
  loop_->Schedule(survivor);

  EXPECT_THROW(loop_->Turn(kPast), std::runtime_error);
  loop_->Turn(kPast);

  EXPECT_EQ(before.completions, 1);
  EXPECT_EQ(after.completions, 1);
  EXPECT_EQ(runs, 1);
}

// --- Operations

TEST_F(LoopTest, OperationsContinueInALaterTurnNeverFromStart) {
  CountedOperation nop;
  PrepareNop(nop);

  loop_->Start(nop);
  EXPECT_EQ(nop.completions, 0);
  EXPECT_TRUE(loop_->alive());
  loop_->Turn(kPast);
  EXPECT_EQ(nop.completions, 0);
  loop_->Turn(kPast);

  EXPECT_EQ(nop.completions, 1);
  EXPECT_FALSE(loop_->alive());
}

TEST_F(LoopTest, OneSystemCallPerTurnAtMost) {
  FdPair sockets = MakeSocketPair();
  std::vector<CountedOperation> operations(30);
  std::byte byte{};
  for (int round = 0; round < 1'000; ++round) {
    for (size_t i = 0; i < operations.size(); i += 3) {
      PrepareNop(operations[i]);
      PrepareSend(operations[i + 1], sockets.first.get(), {&byte, 1});
      PrepareRecv(operations[i + 2], sockets.second.get(), {&byte, 1});
    }
    for (CountedOperation& op : operations) loop_->Start(op);
    TurnUntil([&] { return !loop_->alive(); });
  }

  EXPECT_LE(loop_->stats().backend.system_calls, loop_->stats().turns);
  for (CountedOperation& op : operations) EXPECT_EQ(op.completions, 1'000);
}

TEST_F(LoopTest, CancelOfAQueuedOperationCompletesIt) {
  CountedOperation nop;
  PrepareNop(nop);
  loop_->Start(nop);

  EXPECT_EQ(loop_->Cancel(nop), CancelOutcome::kNotStarted);
  EXPECT_EQ(nop.completions, 0);
  loop_->Turn(kPast);

  EXPECT_EQ(nop.completions, 1);
  EXPECT_EQ(nop.result, -ECANCELED);
}

// --- Timers

struct TimerProbe {
  TimerProbe(Loop& loop, std::vector<const TimerProbe*>& order)
      : entry([this, &loop, &order] {
          late_by = loop.backend().clock().Now() - timer.deadline();
          order.push_back(this);
        }) {
    timer.on_fired = &entry;
  }
  Entry entry;
  LoopTimer timer;
  absl::Duration late_by = -absl::InfiniteDuration();
};

TEST_F(LoopTest, TimersFireInOrderAndNeverEarly) {
  std::vector<const TimerProbe*> order;
  std::vector<std::unique_ptr<TimerProbe>> probes;
  const MonotonicTime start = loop_->now();
  for (int i = 0; i < 200; ++i) {
    probes.push_back(std::make_unique<TimerProbe>(*loop_, order));
    // Scattered over 20 ms, some of them equal.
    loop_->ArmTimer(probes.back()->timer,
                    start + absl::Microseconds((i * 7'919) % 100 * 200));
  }

  TurnUntil([&] { return order.size() == probes.size(); });

  for (size_t i = 0; i < order.size(); ++i) {
    EXPECT_GE(order[i]->late_by, absl::ZeroDuration());
    if (i == 0) continue;
    const bool equal =
        order[i - 1]->timer.deadline() == order[i]->timer.deadline();
    EXPECT_LE(order[i - 1]->timer.deadline(), order[i]->timer.deadline());
    EXPECT_TRUE(!equal || order[i - 1]->timer.FiresBefore(order[i]->timer));
  }
  EXPECT_EQ(loop_->stats().timers_fired, 200u);
}

TEST_F(LoopTest, DisarmedTimerNeverFires) {
  std::vector<const TimerProbe*> order;
  TimerProbe disarmed(*loop_, order), armed(*loop_, order);
  loop_->ArmTimer(disarmed.timer, loop_->now() + absl::Milliseconds(1));
  loop_->ArmTimer(armed.timer, loop_->now() + absl::Milliseconds(2));

  EXPECT_TRUE(loop_->DisarmTimer(disarmed.timer));
  EXPECT_FALSE(loop_->DisarmTimer(disarmed.timer));
  TurnUntil([&] { return !order.empty(); });

  EXPECT_EQ(order, (std::vector<const TimerProbe*>{&armed}));
}

TEST_F(LoopTest, OverdueTimerFiresInTheNextTurn) {
  std::vector<const TimerProbe*> order;
  TimerProbe probe(*loop_, order);
  loop_->ArmTimer(probe.timer, kPast);

  loop_->Turn(kPast);

  EXPECT_EQ(order.size(), 1u);
}

TEST_F(LoopTest, TimerArmedAgainBeforeItsEntryRanWakesItOnce) {
  // The timer has fired, its entry waits behind another, and that one arms it
  // again: scheduling the entry a second time would corrupt the ready queue.
  std::unique_ptr<Loop> loop = MakeLoop(/*ready_budget=*/1);
  std::vector<const TimerProbe*> order;
  TimerProbe probe(*loop, order);
  int blockers_run = 0;
  Entry first([&] { ++blockers_run; });
  Entry second([&] {
    ++blockers_run;
    loop->ArmTimer(probe.timer, kPast);
  });
  Entry third([&] { ++blockers_run; });
  loop->ArmTimer(probe.timer, kPast);
  for (Entry* entry : {&first, &second, &third}) loop->Schedule(*entry);

  for (int i = 0; i < 6; ++i) loop->Turn(kPast);

  EXPECT_EQ(blockers_run, 3);
  EXPECT_EQ(order.size(), 1u);
  EXPECT_FALSE(probe.timer.armed());
}

double ThreadCpuMilliseconds() {
  rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  const auto in_ms = [](timeval t) {
    return static_cast<double>(t.tv_sec) * 1e3 +
           static_cast<double>(t.tv_usec) / 1e3;
  };
  return in_ms(usage.ru_utime) + in_ms(usage.ru_stime);
}

TEST_F(LoopTest, OneTimerOfTwoSecondsCostsNextToNothing) {
  // CPU time is what this thread was charged, page faults and the neighbours'
  // interrupts included: the least of a few attempts is what the loop costs.
  constexpr int kAttempts = 5;
  double least_cpu = 1e9;
  for (int i = 0; i < kAttempts && least_cpu >= 1.0; ++i) {
    std::vector<const TimerProbe*> order;
    TimerProbe probe(*loop_, order);
    loop_->Turn(kPast);
    const uint64_t waits_before = loop_->stats().backend.waits;
    const double cpu_before = ThreadCpuMilliseconds();
    loop_->ArmTimer(probe.timer,
                    loop_->backend().clock().Now() + absl::Seconds(2));

    while (order.empty()) loop_->Turn(probe.timer.deadline());

    EXPECT_LE(loop_->stats().backend.waits - waits_before, 3u);
    EXPECT_GE(probe.late_by, absl::ZeroDuration());
    least_cpu = std::min(least_cpu, ThreadCpuMilliseconds() - cpu_before);
  }
  EXPECT_LT(least_cpu, 1.0);
}

// --- Messages of other threads

struct NumberedMessage : InboxMessage {
  NumberedMessage() : InboxMessage(&Received) {}
  static void Received(InboxMessage& message, bool accepted) {
    auto& self = static_cast<NumberedMessage&>(message);
    ++(accepted ? self.accepted : self.refused);
    if (self.log != nullptr) self.log->push_back(self.number);
    if (self.then) self.then();
  }
  std::vector<int>* log = nullptr;
  std::function<void()> then;
  int number = 0;
  int accepted = 0;
  int refused = 0;
};

TEST_F(LoopTest, MessagesOfFourThreadsAllArriveInTheOrderOfEach) {
  constexpr size_t kThreads = 4, kEach = 25'000;
  std::vector<std::vector<NumberedMessage>> messages(kThreads);
  std::vector<std::vector<int>> logs(kThreads);
  size_t threads_done = 0;
  for (size_t t = 0; t < kThreads; ++t) {
    messages[t] = std::vector<NumberedMessage>(kEach);
    messages[t].back().then = [&] {
      if (++threads_done == kThreads) Stop();
    };
    for (size_t i = 0; i < kEach; ++i) {
      messages[t][i].log = &logs[t];
      messages[t][i].number = static_cast<int>(i);
    }
  }
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t, inbox = loop_->inbox()] {
      for (NumberedMessage& message : messages[t]) {
        EXPECT_TRUE(inbox->Send(message));
      }
    });
  }

  TurnUntilStopped();

  for (std::thread& thread : threads) thread.join();
  for (const std::vector<int>& log : logs) {
    ASSERT_EQ(log.size(), kEach);
    for (size_t i = 0; i < kEach; ++i) {
      ASSERT_EQ(log[i], static_cast<int>(i));
    }
  }
  const LoopStats stats = loop_->stats();
  EXPECT_LE(stats.backend.notifications, stats.turns)
      << "a turn goes to sleep once at most";
}

TEST_F(LoopTest, SleepingLoopWakesForEveryMessage) {
  constexpr int kRounds = 5'000;
  std::atomic<int> received{0};
  std::thread other([&, inbox = loop_->inbox()] {
    for (int i = 0; i < kRounds; ++i) {
      const absl::Status posted = inbox->Post([&] {
        if (received.fetch_add(1) + 1 == kRounds) Stop();
        received.notify_one();
      });
      EXPECT_TRUE(posted.ok()) << posted;
      received.wait(i);  // so that the loop finds nothing to do and sleeps
    }
  });

  TurnUntilStopped();

  other.join();
  const LoopStats stats = loop_->stats();
  EXPECT_LE(stats.backend.notifications, stats.turns);
}

TEST_F(LoopTest, NoDoorbellRingsWhileTheLoopIsAwake) {
  int runs = 0;
  loop_->Turn(kPast);
  std::thread([&, inbox = loop_->inbox()] {
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(inbox->Post([&] { ++runs; }).ok());
    }
  }).join();

  for (int i = 0; i < 3; ++i) loop_->Turn(kPast);

  EXPECT_EQ(runs, 100);
  EXPECT_EQ(loop_->stats().backend.notifications, 0u);
}

TEST_F(LoopTest, PostedFunctionThatThrowsLosesNoMessageBehindIt) {
  int runs = 0;
  EXPECT_TRUE(loop_->inbox()->Post([&] { ++runs; }).ok());
  EXPECT_TRUE(loop_->inbox()
                  ->Post([] { throw std::runtime_error("on purpose"); })
                  .ok());
  EXPECT_TRUE(loop_->inbox()->Post([&] { ++runs; }).ok());

  EXPECT_THROW(loop_->Turn(kPast), std::runtime_error);
  EXPECT_EQ(runs, 1);
  loop_->Turn(kPast);

  EXPECT_EQ(runs, 2);
}

TEST_F(LoopTest, MessagesBehindAThrowAreRefusedIfTheLoopEnds) {
  NumberedMessage message;
  EXPECT_TRUE(loop_->inbox()
                  ->Post([] { throw std::runtime_error("on purpose"); })
                  .ok());
  EXPECT_TRUE(loop_->inbox()->Send(message));
  EXPECT_THROW(loop_->Turn(kPast), std::runtime_error);

  loop_.reset();

  EXPECT_EQ(message.accepted, 0);
  EXPECT_EQ(message.refused, 1);
}

TEST_F(LoopTest, SendAfterTheEndLeavesTheMessageToTheSender) {
  const std::shared_ptr<Inbox> inbox = loop_->inbox();
  loop_.reset();
  NumberedMessage message;

  EXPECT_FALSE(inbox->Send(message));
  EXPECT_FALSE(inbox->Send(message)) << "it can be tried elsewhere";

  EXPECT_EQ(message.accepted + message.refused, 0);
  EXPECT_EQ(inbox->Post([] { FAIL(); }).code(), absl::StatusCode::kUnavailable);
}

TEST_F(LoopTest, FunctionThatTheEndOvertookIsDestroyedUnrun) {
  auto held = std::make_shared<int>(1);
  EXPECT_TRUE(loop_->inbox()->Post([held] { FAIL(); }).ok());
  ASSERT_EQ(held.use_count(), 2);

  loop_.reset();

  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(LoopTest, SendRacingTheEndIsAcceptedOrRefusedOnce) {
  constexpr size_t kThreads = 3, kEach = 200;
  for (int round = 0; round < 50; ++round) {
    std::unique_ptr<Loop> loop = MakeLoop();
    std::vector<NumberedMessage> messages(kThreads * kEach);
    std::atomic<int> kept{0}, sent{0};
    std::vector<std::thread> threads;
    for (size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t, inbox = loop->inbox()] {
        for (size_t i = t * kEach; i < (t + 1) * kEach; ++i) {
          if (!inbox->Send(messages[i])) kept.fetch_add(1);
          sent.fetch_add(1);
          sent.notify_one();
        }
      });
    }
    // Ends in the middle: after some messages, sleeping between them.
    sent.wait(0);
    while (sent < round * 8) loop->Turn(kPast);

    loop.reset();
    for (std::thread& thread : threads) thread.join();

    int received = 0;
    for (const NumberedMessage& message : messages) {
      EXPECT_LE(message.accepted + message.refused, 1);
      received += message.accepted + message.refused;
    }
    EXPECT_EQ(received + kept, static_cast<int>(kThreads * kEach));
  }
}

// --- The end

TEST_F(LoopTest, QuiesceEndsOperationsAndRunsNobody) {
  FdPair sockets = MakeSocketPair();
  CountedOperation in_flight, queued;
  std::byte byte;
  int runs = 0;
  Entry entry([&] { ++runs; });
  PrepareRecv(in_flight, sockets.first.get(), {&byte, 1});
  loop_->Start(in_flight);
  loop_->Turn(kPast);
  PrepareNop(queued);
  loop_->Start(queued);
  loop_->Schedule(entry);

  loop_->Quiesce();

  for (CountedOperation* op : {&in_flight, &queued}) {
    EXPECT_EQ(op->state, OpState::kDone);
    EXPECT_EQ(op->result, -ECANCELED);
    EXPECT_EQ(op->completions, 0);
  }
  EXPECT_EQ(runs, 0);
  EXPECT_FALSE(entry.linked());
  EXPECT_FALSE(loop_->alive());
  PrepareNop(queued);  // and it works on
  loop_->Start(queued);
  TurnUntil([&] { return queued.completions == 1; });
}

// Closes its fd when its receive has ended, as a closing stream does.
struct OrphanedReceive : Orphan {
  OrphanedReceive(UniqueFd f, int& d) : fd(std::move(f)), deaths(d) {
    PrepareRecv(op, fd.get(), {&byte, 1});
  }
  ~OrphanedReceive() override { ++deaths; }
  UniqueFd fd;
  int& deaths;
  std::byte byte;
  CountedOperation op;
};

TEST_F(LoopTest, OrphansEndWithTheLoopAfterTheirOperations) {
  const size_t fds = CountOpenFds();
  FdPair sockets = MakeSocketPair();
  int deaths = 0;
  auto orphan =
      std::make_unique<OrphanedReceive>(std::move(sockets.first), deaths);
  loop_->Start(orphan->op);
  loop_->Adopt(std::move(orphan));
  loop_->Turn(kPast);
  EXPECT_EQ(deaths, 0);

  loop_.reset();

  EXPECT_EQ(deaths, 1);
  sockets.second.Reset();
  EXPECT_LT(CountOpenFds(), fds);  // the loop's own are gone as well
}

TEST_F(LoopTest, BuriedOrphanIsDeletedAtOnce) {
  FdPair sockets = MakeSocketPair();
  int deaths = 0;
  auto owned =
      std::make_unique<OrphanedReceive>(std::move(sockets.first), deaths);
  OrphanedReceive& orphan = *owned;
  loop_->Start(orphan.op);
  loop_->Adopt(std::move(owned));
  loop_->Turn(kPast);
  loop_->Cancel(orphan.op);
  TurnUntil([&] { return orphan.op.completions == 1; });

  loop_->Bury(orphan);

  EXPECT_EQ(deaths, 1);
}

TEST_F(LoopTest, EndWithEverythingOutstandingLeavesNoFd) {
  const size_t fds = CountOpenFds();
  {
    FdPair sockets = MakeSocketPair();
    CountedOperation in_flight, queued;
    Entry entry([] { FAIL() << "the end resumed somebody"; });
    std::byte byte;
    std::unique_ptr<Loop> loop = MakeLoop();
    PrepareRecv(in_flight, sockets.first.get(), {&byte, 1});
    loop->Start(in_flight);
    loop->Turn(kPast);
    PrepareNop(queued);
    loop->Start(queued);
    loop->Schedule(entry);
    loop.reset();
    EXPECT_EQ(in_flight.state, OpState::kDone);
    EXPECT_EQ(queued.state, OpState::kDone);
  }
  EXPECT_EQ(CountOpenFds(), fds);
}

using LoopDeathTest = LoopTest;

TEST_F(LoopDeathTest, StartingAnOperationTwiceAborts) {
  EXPECT_DEATH(
      {
        std::unique_ptr<Loop> loop = MakeLoop();
        CountedOperation nop;
        PrepareNop(nop);
        loop->Start(nop);
        loop->Start(nop);
      },
      "a nop operation was started twice");
}

TEST_F(LoopDeathTest, UseFromAForeignThreadAborts) {
  EXPECT_DEATH(
      {
        std::unique_ptr<Loop> loop = MakeLoop();
        std::thread([&] { loop->Turn(kPast); }).join();
      },
      "a loop was used from a foreign thread");
}

TEST_F(LoopDeathTest, UseInAForkedChildAborts) {
  EXPECT_DEATH(loop_->Turn(kPast), "a loop belongs to the parent process");
}

TEST_F(LoopDeathTest, EndInAForkedChildTouchesNothingOfTheParent) {
  FdPair sockets = MakeSocketPair(), others = MakeSocketPair();
  CountedOperation in_flight, queued;
  std::byte byte;
  int deaths = 0;
  Entry entry([] {});
  auto orphan =
      std::make_unique<OrphanedReceive>(std::move(others.first), deaths);
  PrepareRecv(in_flight, sockets.first.get(), {&byte, 1});
  loop_->Start(in_flight);
  loop_->Start(orphan->op);
  loop_->Adopt(std::move(orphan));
  loop_->Turn(kPast);
  PrepareNop(queued);
  loop_->Start(queued);
  loop_->Schedule(entry);

  EXPECT_EXIT(
      {
        loop_.reset();
        _exit(7);
      },
      ::testing::ExitedWithCode(7), "");

  SendAll(sockets.second.get(), "x");
  TurnUntil([&] { return in_flight.completions == 1; });
  EXPECT_EQ(in_flight.result, 1);
  EXPECT_EQ(queued.completions, 1);
  EXPECT_EQ(deaths, 0);
  loop_.reset();
  EXPECT_EQ(deaths, 1);
}

}  // namespace
}  // namespace ringway
