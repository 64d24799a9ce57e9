// SPDX-License-Identifier: Apache-2.0
//
// Channels between real threads: every value arrives, once and in order, and
// nothing leaks.

#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/executor/remote/shared_channel.h"
#include "ringway/executor/remote/spawn_on.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/worker_for_test.h"

namespace ringway {
namespace {

using testing::WorkerForTest;

constexpr int kSenders = 4;

int Messages() { return static_cast<int>(testing::Scaled(1'000'000)); }

struct Message {
  int sender;
  int number;
};

Task<absl::Status> SendAll(SharedSender<Message> to, int sender, int n) {
  for (int i = 0; i < n; ++i) {
    const absl::Status sent = co_await to.Send(Message{sender, i});
    if (!sent.ok()) co_return sent;
  }
  co_return absl::OkStatus();
}

void SendAllFromThread(SharedSender<Message> to, int sender, int n) {
  for (int i = 0; i < n; ++i) {
    while (!to.TrySend(Message{sender, i}).ok()) std::this_thread::yield();
  }
}

// Counts what arrives in order.
Task<int> ReceiveAll(SharedReceiver<Message> from) {
  int next[kSenders] = {};
  int n = 0;
  while (true) {
    const auto message = co_await from.Receive();
    if (!message.ok()) co_return n;
    n += message->number == next[message->sender]++;
  }
}

// Two tasks of other workers, which wait for room, and two threads without an
// executor, which cannot wait, send to one task.
Task<void> SendFromEverywhere(std::vector<ExecutorHandle> workers, int each) {
  auto [sender, receiver] = MakeSharedChannel<Message>(64);
  RemoteHandle<int> received =
      SpawnOn(workers[0], ReceiveAll, std::move(receiver));
  RemoteHandle<absl::Status> first =
      SpawnOn(workers[1], SendAll, sender, 0, each);
  RemoteHandle<absl::Status> second =
      SpawnOn(workers[2], SendAll, sender, 1, each);
  std::thread third(SendAllFromThread, sender, 2, each);
  std::thread fourth(SendAllFromThread, std::move(sender), 3, each);
  EXPECT_TRUE((co_await first).ok());
  EXPECT_TRUE((co_await second).ok());
  third.join();
  fourth.join();
  const absl::StatusOr<int> n = co_await received;
  EXPECT_EQ(*n, kSenders * each);
}

TEST(SharedChannelStress, AMillionMessagesOfFourThreadsArriveInTheOrderOfEach) {
  const size_t fds = testing::CountOpenFds();
  {
    std::vector<WorkerForTest> workers(3);
    std::vector<ExecutorHandle> handles;
    for (WorkerForTest& worker : workers) handles.push_back(worker.handle());
    auto executor = *Executor::Create();
    EXPECT_TRUE(
        executor->Run(SendFromEverywhere(handles, Messages() / kSenders)).ok());
    for (WorkerForTest& worker : workers) {
      worker.Stop();
      EXPECT_EQ(worker.stats().tasks_alive, 0u);
      EXPECT_LE(worker.stats().loop.backend.notifications,
                worker.stats().loop.turns)
          << "a turn goes to sleep once at most";
    }
    EXPECT_EQ(executor->stats().frames.live, 0u);
  }
  EXPECT_EQ(testing::CountOpenFds(), fds);
}

// --- Cancelling at random

struct Counts {
  std::atomic<int> alive{0};
  std::atomic<int> sent{0};
};

// Counts its instances.
class Counted {
 public:
  explicit Counted(Counts* counts) : counts_(counts) { ++counts_->alive; }
  Counted(Counted&& other) noexcept
      : counts_(std::exchange(other.counts_, nullptr)) {}
  ~Counted() {
    if (counts_ != nullptr) --counts_->alive;
  }
  bool here() const { return counts_ != nullptr; }

 private:
  Counts* counts_;
};

Task<void> SendOne(SharedSender<Counted> to, Counts* counts) {
  Counted value(counts);
  const absl::Status sent = co_await to.Send(std::move(value));
  EXPECT_NE(sent.ok(), value.here()) << sent;
  counts->sent += sent.ok();
}

Task<void> SendAndCancel(SharedSender<Counted> to, Counts* counts,
                         uint32_t seed) {
  std::mt19937 random(seed);
  for (int i = 0; i < 1000; ++i) {
    JoinHandle<void> send = Spawn(SendOne(to, counts));
    for (uint32_t n = random() % 3; n > 0; --n) co_await Yield();
    if (random() % 2 == 0) send.Cancel();
    (co_await send).IgnoreError();
  }
}

Task<absl::StatusOr<Counted>> ReceiveOne(SharedReceiver<Counted>* from,
                                         bool* ended) {
  absl::StatusOr<Counted> value = co_await from->Receive();
  *ended = absl::IsUnavailable(value.status());
  co_return std::move(value);
}

Task<int> ReceiveAndCancel(SharedReceiver<Counted> from) {
  std::mt19937 random(0);
  int n = 0;
  for (bool ended = false; !ended;) {
    JoinHandle<absl::StatusOr<Counted>> receive =
        Spawn(ReceiveOne(&from, &ended));
    for (uint32_t i = random() % 3; i > 0; --i) co_await Yield();
    if (random() % 4 == 0) receive.Cancel();
    n += (co_await receive).ok();
  }
  co_return n;
}

Task<void> CancelAtRandom(std::vector<ExecutorHandle> workers, Counts* counts) {
  auto [sender, receiver] = MakeSharedChannel<Counted>(2);
  RemoteHandle<int> received =
      SpawnOn(workers[0], ReceiveAndCancel, std::move(receiver));
  RemoteHandle<void> first =
      SpawnOn(workers[1], SendAndCancel, sender, counts, 1);
  RemoteHandle<void> second =
      SpawnOn(workers[2], SendAndCancel, std::move(sender), counts, 2);
  EXPECT_TRUE((co_await first).ok());
  EXPECT_TRUE((co_await second).ok());
  const absl::StatusOr<int> n = co_await received;
  EXPECT_EQ(*n, counts->sent);
}

TEST(SharedChannelStress, CancelsAtRandomLoseNothingAndLeaveNothing) {
  Counts counts;
  {
    std::vector<WorkerForTest> workers(3);
    std::vector<ExecutorHandle> handles;
    for (WorkerForTest& worker : workers) handles.push_back(worker.handle());
    auto executor = *Executor::Create();
    EXPECT_TRUE(executor->Run(CancelAtRandom(handles, &counts)).ok());
  }
  EXPECT_GT(counts.sent, 0);
  EXPECT_EQ(counts.alive, 0);
}

// --- The receiver's worker ends

Task<absl::Status> SendUntilRefused(SharedSender<Counted> to, Counts* counts) {
  while (true) {
    Counted value(counts);
    const absl::Status sent = co_await to.Send(std::move(value));
    if (sent.ok()) continue;
    EXPECT_TRUE(value.here());
    co_return sent;
  }
}

Task<void> Discard(SharedReceiver<Counted> from) {
  while (true) {
    const auto value = co_await from.Receive();
    if (!value.ok()) co_return;
  }
}

Task<void> StopTheReceiver(ExecutorHandle sends, WorkerForTest* receives,
                           Counts* counts) {
  auto [sender, receiver] = MakeSharedChannel<Counted>(4);
  RemoteHandle<void> discard =
      SpawnOn(receives->handle(), Discard, std::move(receiver));
  RemoteHandle<absl::Status> send =
      SpawnOn(sends, SendUntilRefused, std::move(sender), counts);
  co_await Yield();
  receives->Stop();
  EXPECT_TRUE(absl::IsUnavailable(co_await send));
  (co_await discard).IgnoreError();
}

TEST(SharedChannelStress, SendersToAWorkerThatEndsGetTheirValuesBack) {
  for (int round = 0; round < 50; ++round) {
    Counts counts;
    {
      WorkerForTest sends, receives;
      auto executor = *Executor::Create();
      EXPECT_TRUE(
          executor->Run(StopTheReceiver(sends.handle(), &receives, &counts))
              .ok());
    }
    ASSERT_EQ(counts.alive, 0);
  }
}

}  // namespace
}  // namespace ringway
