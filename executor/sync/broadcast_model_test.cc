// SPDX-License-Identifier: Apache-2.0
//
// A Broadcast compared with a simple model - a queue for each receiver - and
// its waits under random cancels.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/sync/broadcast.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

struct Model {
  explicit Model(LagPolicy p) : policy(p) {}
  LagPolicy policy;
  std::deque<int> unread;
  uint64_t missed = 0;
  bool disconnected = false;
};

class ModelTest {
 public:
  // `policies`: of which each receiver has one.
  ModelTest(unsigned seed, std::vector<LagPolicy> policies)
      : random_(seed),
        policies_(std::move(policies)),
        capacity_(1 + random_() % 5),
        broadcast_(capacity_, policies_.front()) {}

  void Step() {
    switch (random_() % 10) {
      case 0:
        if (receivers_.size() < 4) {
          const LagPolicy policy = policies_[random_() % policies_.size()];
          receivers_.push_back(policies_.size() == 1
                                   ? broadcast_.Subscribe()
                                   : broadcast_.Subscribe(policy));
          models_.emplace_back(policy);
        }
        break;
      case 1:
        if (!receivers_.empty()) {
          const size_t i = random_() % receivers_.size();
          // By moves: they change places as well.
          receivers_.erase(receivers_.begin() + static_cast<ptrdiff_t>(i));
          models_.erase(models_.begin() + static_cast<ptrdiff_t>(i));
        }
        break;
      case 2:
      case 3:
      case 4:
      case 5:
        Send();
        break;
      default:
        if (!receivers_.empty()) Receive(random_() % receivers_.size());
        break;
    }
    size_t most = 0;
    for (const Model& model : models_)
      most = std::max(most, model.unread.size());
    EXPECT_EQ(broadcast_.size(), most);
  }

 private:
  void Send() {
    bool blocked = false;
    for (const Model& model : models_) {
      blocked |= model.policy == LagPolicy::kBlockSender &&
                 model.unread.size() == capacity_;
    }
    const absl::Status sent = broadcast_.TrySend(next_);
    if (blocked) {
      EXPECT_TRUE(absl::IsResourceExhausted(sent));
      return;
    }
    EXPECT_TRUE(sent.ok());
    for (Model& model : models_) {
      if (model.disconnected) continue;
      if (model.unread.size() == capacity_) {
        if (model.policy == LagPolicy::kDisconnect) {
          model.disconnected = true;
          model.unread.clear();
          continue;
        }
        model.unread.pop_front();
        ++model.missed;
      }
      model.unread.push_back(next_);
    }
    ++next_;
  }

  void Receive(size_t i) {
    Model& model = models_[i];
    const absl::StatusOr<int> got = receivers_[i].TryReceive();
    if (model.disconnected) {
      EXPECT_TRUE(absl::IsResourceExhausted(got.status()));
    } else if (model.unread.empty()) {
      EXPECT_TRUE(absl::IsNotFound(got.status()));
    } else {
      ASSERT_TRUE(got.ok());
      EXPECT_EQ(*got, model.unread.front());
      model.unread.pop_front();
      EXPECT_EQ(receivers_[i].TakeMissed(), std::exchange(model.missed, 0));
    }
  }

  std::minstd_rand random_;
  const std::vector<LagPolicy> policies_;
  const size_t capacity_;
  Broadcast<int> broadcast_;
  std::vector<BroadcastReceiver<int>> receivers_;
  std::vector<Model> models_;
  int next_ = 0;
};

TEST(BroadcastModel, BehavesAsAQueueForEachReceiver) {
  const LagPolicy all[] = {LagPolicy::kBlockSender, LagPolicy::kDropOldest,
                           LagPolicy::kDisconnect};
  // Each alone, then receivers of all of them together.
  for (int first = 0; first <= 3; ++first) {
    const std::vector<LagPolicy> policies(all + first % 3,
                                          all + (first == 3 ? 3 : first + 1));
    for (unsigned seed = 1; seed <= 60; ++seed) {
      SCOPED_TRACE(testing::Message()
                   << "policies " << first << " seed " << seed);
      ModelTest model(seed, policies);
      for (int step = 0; step < 500; ++step) model.Step();
      if (testing::Test::HasFailure()) return;
    }
  }
}

// --- Waits that are cut short: nothing is lost, nothing comes twice.

Task<void> SendAll(Broadcast<int>* broadcast, int n, std::minstd_rand* random) {
  for (int i = 0; i < n;) {
    const auto timeout = absl::Microseconds(1 + (*random)() % 4);
    const absl::Status sent = co_await WithTimeout(timeout, broadcast->Send(i));
    if (sent.ok()) ++i;
    if ((*random)() % 4 == 0)
      (co_await Sleep(absl::Microseconds((*random)() % 6))).IgnoreError();
  }
  broadcast->Close();
}

// Returns the number received; each value must be the next one, or some were
// reported as missed.
Task<uint64_t> ReceiveAll(BroadcastReceiver<int> receiver,
                          std::minstd_rand* random) {
  uint64_t next = 0, missed = 0;
  while (true) {
    const auto timeout = absl::Microseconds(1 + (*random)() % 4);
    const absl::StatusOr<int> value =
        co_await WithTimeout(timeout, receiver.Receive());
    if (value.ok()) {
      const uint64_t skipped = receiver.TakeMissed();
      missed += skipped;
      EXPECT_EQ(static_cast<uint64_t>(*value), next + skipped);
      next = static_cast<uint64_t>(*value) + 1;
    } else if (!absl::IsDeadlineExceeded(value.status())) {
      EXPECT_TRUE(absl::IsUnavailable(value.status())) << value.status();
      co_return next - missed;
    }
    if ((*random)() % 4 == 0)
      (co_await Sleep(absl::Microseconds((*random)() % 6))).IgnoreError();
  }
}

TEST(BroadcastModel, WaitsThatRaceTheirEndLoseAndRepeatNothing) {
  constexpr int kValues = 200;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    const bool drops = seed % 2 == 0;
    std::minstd_rand random(seed);
    VirtualTimeExecutor executor;
    Broadcast<int> broadcast(
        1 + seed % 3, drops ? LagPolicy::kDropOldest : LagPolicy::kBlockSender);
    std::vector<JoinHandle<uint64_t>> receivers;
    for (int i = 0; i < 3; ++i) {
      receivers.push_back(
          executor->Spawn(ReceiveAll(broadcast.Subscribe(), &random)));
    }
    EXPECT_TRUE(executor->Run(SendAll(&broadcast, kValues, &random)).ok());
    for (JoinHandle<uint64_t>& receiver : receivers) {
      while (!receiver.done()) executor->Turn(MonotonicTime::Infinite());
      const uint64_t n = *receiver.TakeResult();
      if (drops) {
        EXPECT_LE(n, uint64_t{kValues});
      } else {
        EXPECT_EQ(n, uint64_t{kValues});
      }
    }
  }
}

Task<void> ReceiveOnce(BroadcastReceiver<int>* receiver, int* value) {
  const absl::StatusOr<int> got = co_await receiver->Receive();
  *value = got.ok() ? *got : -1;
}

Task<void> SendThenCancel(Broadcast<int>* broadcast, JoinHandle<void>* task,
                          bool send_first) {
  co_await Yield();
  if (!send_first) task->Cancel();
  EXPECT_TRUE(broadcast->TrySend(7).ok());
  if (send_first) task->Cancel();
}

TEST(BroadcastModel, AValueThatCameBeforeTheCancelIsReceived) {
  for (bool send_first : {true, false}) {
    VirtualTimeExecutor executor;
    Broadcast<int> broadcast(1);
    BroadcastReceiver<int> receiver = broadcast.Subscribe();
    int value = 0;
    JoinHandle<void> waits = executor->Spawn(ReceiveOnce(&receiver, &value));
    EXPECT_TRUE(
        executor->Run(SendThenCancel(&broadcast, &waits, send_first)).ok());
    while (!waits.done()) executor->Turn(MonotonicTime::Infinite());
    EXPECT_EQ(value, send_first ? 7 : -1);
    EXPECT_EQ(receiver.ready(), !send_first) << "left for the next";
  }
}

}  // namespace
}  // namespace ringway
