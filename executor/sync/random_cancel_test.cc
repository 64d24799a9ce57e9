// SPDX-License-Identifier: Apache-2.0
//
// Tasks that use a primitive are cancelled at random, a thousand times, and
// restarted. In the end nothing is lost, held or waited for. In virtual time,
// and on the backend that production picks.

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/sync/barrier.h"
#include "ringway/executor/sync/channel.h"
#include "ringway/executor/sync/mutex.h"
#include "ringway/executor/sync/notify.h"
#include "ringway/executor/sync/oneshot.h"
#include "ringway/executor/sync/semaphore.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

constexpr int kRounds = 1000;
constexpr size_t kTasks = 8;

class Scenario {
 public:
  explicit Scenario(uint32_t seed) : random_(seed) {}
  Scenario(const Scenario&) = delete;
  virtual ~Scenario() = default;

  // Uses the primitive until cancelled. At any time there is at most one task
  // of each index.
  virtual Task<void> Participate(size_t index) = 0;
  // From then on nothing new is started.
  virtual void Stop() {}
  virtual bool Settled() const { return true; }
  // Once all tasks have been cancelled and have ended.
  virtual void CheckTheEnd() = 0;

  uint32_t RandomBelow(uint32_t n) { return random_() % n; }

  // For a task that may be cancelled here too.
  Task<void> Pause() {
    const uint32_t kind = RandomBelow(4);
    if (kind == 0) {
      co_await Yield();
    } else if (kind < 3) {
      static_cast<void>(co_await Sleep(absl::Microseconds(kind - 1)));
    }
  }

 private:
  std::mt19937 random_;
};

Task<void> CancelAll(std::vector<JoinHandle<void>>* tasks) {
  for (JoinHandle<void>& task : *tasks) task.Cancel();
  for (JoinHandle<void>& task : *tasks) static_cast<void>(co_await task);
}

Task<void> StopAndSettle(Scenario* scenario) {
  scenario->Stop();
  for (int i = 0; i < 1000 && !scenario->Settled(); ++i)
    static_cast<void>(co_await Sleep(absl::Microseconds(1)));
  EXPECT_TRUE(scenario->Settled());
}

Task<void> CancelAtRandom(Scenario* scenario) {
  std::vector<JoinHandle<void>> tasks;
  for (size_t i = 0; i < kTasks; ++i)
    tasks.push_back(Spawn(scenario->Participate(i)));
  for (int round = 0; round < kRounds; ++round) {
    co_await scenario->Pause();
    const size_t i = scenario->RandomBelow(kTasks);
    tasks[i].Cancel();
    if (scenario->RandomBelow(2) == 0) static_cast<void>(co_await tasks[i]);
    if (tasks[i].done()) tasks[i] = Spawn(scenario->Participate(i));
  }
  co_await CancelAll(&tasks);
  for (size_t i = 0; i < kTasks; ++i)
    tasks[i] = Spawn(scenario->Participate(i));
  co_await StopAndSettle(scenario);
  co_await CancelAll(&tasks);
}

class LocksOneMutex : public Scenario {
 public:
  using Scenario::Scenario;
  Task<void> Participate(size_t) override {
    while (true) {
      const absl::StatusOr<MutexLock> lock = co_await mutex_.Lock();
      if (!lock.ok()) co_return;
      EXPECT_EQ(++inside_, 1);
      co_await Pause();
      --inside_;
      ++times_;
    }
  }
  void CheckTheEnd() override {
    EXPECT_FALSE(mutex_.locked());
    EXPECT_GT(times_, 0);
  }

 private:
  Mutex mutex_;
  int inside_ = 0;
  int times_ = 0;
};

class TakesPermits : public Scenario {
 public:
  using Scenario::Scenario;
  Task<void> Participate(size_t) override {
    while (true) {
      const size_t n = 1 + RandomBelow(kPermits);
      const absl::StatusOr<SemaphorePermit> permit =
          co_await semaphore_.Acquire(n);
      if (!permit.ok()) co_return;
      in_use_ += n;
      EXPECT_LE(in_use_, kPermits);
      co_await Pause();
      in_use_ -= n;
      ++times_;
    }
  }
  void CheckTheEnd() override {
    EXPECT_EQ(semaphore_.available(), size_t{kPermits});
    EXPECT_GT(times_, 0);
  }

 private:
  static constexpr uint32_t kPermits = 5;
  Semaphore semaphore_{kPermits};
  size_t in_use_ = 0;
  int times_ = 0;
};

// The first half of the tasks send; the others receive.
template <size_t kCapacity>
class SendsAndReceives : public Scenario {
 public:
  using Scenario::Scenario;
  Task<void> Participate(size_t index) override {
    return index < kTasks / 2 ? SendNumbers() : ReceiveNumbers();
  }
  void CheckTheEnd() override {
    channel_.Close();
    while (true) {
      const absl::StatusOr<std::unique_ptr<size_t>> left =
          channel_.TryReceive();
      if (!left.ok()) break;
      ++times_received_[**left];
    }
    EXPECT_GT(times_received_.size(), 0u);
    EXPECT_EQ(times_received_, std::vector<int>(times_received_.size(), 1));
  }

 private:
  Task<void> SendNumbers() {
    while (true) {
      auto value = std::make_unique<size_t>(times_received_.size());
      times_received_.push_back(0);
      const absl::Status sent = co_await channel_.Send(std::move(value));
      EXPECT_EQ(value == nullptr, sent.ok());
      if (!sent.ok()) {
        ++times_received_[*value];  // it came back
        co_return;
      }
      co_await Pause();
    }
  }
  Task<void> ReceiveNumbers() {
    while (true) {
      const absl::StatusOr<std::unique_ptr<size_t>> value =
          co_await channel_.Receive();
      if (!value.ok()) co_return;
      ++times_received_[**value];
      co_await Pause();
    }
  }

  Channel<std::unique_ptr<size_t>> channel_{kCapacity};
  std::vector<int> times_received_;  // of each number that was made
};

// One task receives; every other one sends its numbers in order.
class KeepsTheOrderOfEachSender : public Scenario {
 public:
  using Scenario::Scenario;
  Task<void> Participate(size_t index) override {
    return index == 0 ? ReceiveInOrder() : SendInOrder(index);
  }
  void CheckTheEnd() override {
    while (true) {
      const absl::StatusOr<Numbered> left = channel_.TryReceive();
      if (!left.ok()) break;
      EXPECT_EQ(left->number, received_[left->sender]++);
    }
    EXPECT_EQ(received_, sent_);
  }

 private:
  struct Numbered {
    Numbered(size_t s, int n) : sender(s), number(n) {}
    size_t sender;
    int number;
  };

  Task<void> SendInOrder(size_t index) {
    while (true) {
      const Numbered value(index, sent_[index]);
      const absl::Status sent = co_await channel_.Send(value);
      if (!sent.ok()) co_return;
      ++sent_[index];
      co_await Pause();
    }
  }
  Task<void> ReceiveInOrder() {
    while (true) {
      const absl::StatusOr<Numbered> value = co_await channel_.Receive();
      if (!value.ok()) co_return;
      EXPECT_EQ(value->number, received_[value->sender]++);
      co_await Pause();
    }
  }

  Channel<Numbered> channel_{3};
  std::vector<int> sent_ = std::vector<int>(kTasks);
  std::vector<int> received_ = std::vector<int>(kTasks);
};

class AsksAndAnswers : public Scenario {
 public:
  using Scenario::Scenario;
  Task<void> Participate(size_t) override {
    while (true) {
      Oneshot<std::shared_ptr<int>> oneshot;
      JoinHandle<void> answerer = Spawn(Answer(std::move(oneshot.sender)));
      absl::StatusOr<std::shared_ptr<int>> answer =
          co_await oneshot.receiver.Receive();
      const bool cancelled = absl::IsCancelled(answer.status());
      const bool drop = cancelled && RandomBelow(2) == 0;
      Shield shield;
      if (drop) {
        oneshot.receiver = OneshotReceiver<std::shared_ptr<int>>();
      } else if (cancelled) {
        answer = co_await oneshot.receiver.Receive();
      }
      if (answer.ok()) ++received_;
      EXPECT_TRUE(drop || answer.ok() || absl::IsUnavailable(answer.status()));
      static_cast<void>(co_await answerer);
      if (cancelled) co_return;
    }
  }
  void CheckTheEnd() override {
    EXPECT_EQ(answer_.use_count(), 1);
    EXPECT_GT(received_, 0);
  }

 private:
  Task<void> Answer(OneshotSender<std::shared_ptr<int>> parameter) {
    // A parameter would stay as long as the task's handle.
    OneshotSender<std::shared_ptr<int>> sender = std::move(parameter);
    co_await Pause();
    if (RandomBelow(4) == 0) co_return;  // drops the sender
    static_cast<void>(sender.Send(std::shared_ptr<int>(answer_)));
  }

  std::shared_ptr<int> answer_ = std::make_shared<int>(42);
  int received_ = 0;
};

class MeetsAtABarrier : public Scenario {
 public:
  using Scenario::Scenario;
  Task<void> Participate(size_t) override {
    while (true) {
      const absl::StatusOr<bool> last = co_await barrier_.Arrive();
      EXPECT_LT(barrier_.n_waiting(), kParties);
      if (!last.ok()) co_return;
      ++arrivals_;
      if (*last) ++meetings_;
      co_await Pause();
    }
  }
  void CheckTheEnd() override {
    EXPECT_EQ(barrier_.n_waiting(), 0u);
    EXPECT_GT(meetings_, 0u);
    EXPECT_EQ(arrivals_, kParties * meetings_);
  }

 private:
  static constexpr size_t kParties = 3;
  Barrier barrier_{kParties};
  size_t arrivals_ = 0;
  size_t meetings_ = 0;
};

// The first half of the tasks make work; the others do all there is when they
// are notified.
class NotifiesOfWork : public Scenario {
 public:
  using Scenario::Scenario;
  Task<void> Participate(size_t index) override {
    return index < kTasks / 2 ? MakeWork() : DoWork();
  }
  void Stop() override { stopping_ = true; }
  bool Settled() const override { return work_ == 0; }
  void CheckTheEnd() override { EXPECT_GT(done_, 0); }

 private:
  Task<void> MakeWork() {
    while (!stopping_) {
      ++work_;
      notify_.NotifyOne();
      const absl::Status status = co_await Sleep(absl::Microseconds(1));
      if (!status.ok()) co_return;
    }
  }
  Task<void> DoWork() {
    while (true) {
      const absl::Status status = co_await notify_.Wait();
      if (!status.ok()) co_return;
      done_ += std::exchange(work_, 0);
      co_await Pause();
    }
  }

  Notify notify_;
  bool stopping_ = false;
  int work_ = 0;
  int done_ = 0;
};

template <typename T>
std::unique_ptr<Scenario> Make(uint32_t seed) {
  return std::make_unique<T>(seed);
}
struct Case {
  const char* name;
  std::unique_ptr<Scenario> (*make)(uint32_t seed);
};

class RandomCancel : public testing::TestWithParam<Case> {
 protected:
  static void Run(Executor& executor, uint32_t seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const std::unique_ptr<Scenario> scenario = GetParam().make(seed);
    EXPECT_TRUE(executor.Run(CancelAtRandom(scenario.get())).ok());
    scenario->CheckTheEnd();
  }  // no waiter or holder is left (the destructors check it)
};

INSTANTIATE_TEST_SUITE_P(
    , RandomCancel,
    testing::Values(Case{"Mutex", Make<LocksOneMutex>},
                    Case{"Semaphore", Make<TakesPermits>},
                    Case{"Rendezvous", Make<SendsAndReceives<0>>},
                    Case{"ChannelOfOne", Make<SendsAndReceives<1>>},
                    Case{"ChannelOfSeven", Make<SendsAndReceives<7>>},
                    Case{"ChannelInOrder", Make<KeepsTheOrderOfEachSender>},
                    Case{"Oneshot", Make<AsksAndAnswers>},
                    Case{"Barrier", Make<MeetsAtABarrier>},
                    Case{"Notify", Make<NotifiesOfWork>}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_P(RandomCancel, LeavesNoTraceInVirtualTime) {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    VirtualTimeExecutor executor;
    Run(*executor.executor, seed);
  }
}

TEST_P(RandomCancel, LeavesNoTraceOnTheBackendOfProduction) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  Run(**executor, /*seed=*/6);
}

}  // namespace
}  // namespace ringway
