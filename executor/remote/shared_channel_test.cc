// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/remote/shared_channel.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/sleep.h"

namespace ringway {
namespace {

// Moves only, so that a value is in one place.
using Value = std::unique_ptr<int>;
Value Make(int n) { return std::make_unique<int>(n); }

// Sender and receiver on one executor, turned by hand: nothing happens between
// the lines of a test.
class SharedChannelTest : public ::testing::Test {
 protected:
  SharedChannelTest() : executor_(MakeExecutor()) {}

  static std::unique_ptr<Executor> MakeExecutor() {
    ExecutorOptions options;
    options.shutdown_grace = absl::ZeroDuration();
    return *Executor::Create(options);
  }

  // Lets all other tasks run.
  void TurnABit() {
    for (int i = 0; i < 4; ++i) executor_->Turn(MonotonicTime());
  }

  template <typename T>
  JoinHandle<T> Spawn(Task<T> task) {
    JoinHandle<T> handle = executor_->Spawn(std::move(task));
    TurnABit();
    return handle;
  }

  std::unique_ptr<Executor> executor_;
};

// Moves `*value` out only if it is sent.
Task<absl::Status> Send(SharedSender<Value> sender, Value* value) {
  co_return co_await sender.Send(std::move(*value));
}

Task<absl::StatusOr<Value>> Receive(SharedReceiver<Value>* receiver) {
  co_return co_await receiver->Receive();
}

int ReceiveNow(SharedReceiver<Value>& receiver) {
  const absl::StatusOr<Value> value = receiver.TryReceive();
  return value.ok() ? **value : -1;
}

TEST_F(SharedChannelTest, GivesBackInOrder) {
  auto [sender, receiver] = MakeSharedChannel<Value>(2);
  EXPECT_TRUE(sender.TrySend(Make(1)).ok());
  EXPECT_TRUE(sender.TrySend(Make(2)).ok());
  EXPECT_EQ(ReceiveNow(receiver), 1);
  EXPECT_TRUE(sender.TrySend(Make(3)).ok());
  EXPECT_EQ(ReceiveNow(receiver), 2);
  EXPECT_EQ(ReceiveNow(receiver), 3);
  EXPECT_TRUE(absl::IsNotFound(receiver.TryReceive().status()));
  sender.Close();
  EXPECT_TRUE(absl::IsUnavailable(receiver.TryReceive().status()));
}

TEST_F(SharedChannelTest, FullChannelLeavesTheValueToTheSender) {
  auto [sender, receiver] = MakeSharedChannel<Value>(1);
  EXPECT_TRUE(sender.TrySend(Make(1)).ok());
  Value second = Make(2);
  EXPECT_TRUE(absl::IsResourceExhausted(sender.TrySend(std::move(second))));
  EXPECT_EQ(*second, 2);
  EXPECT_EQ(ReceiveNow(receiver), 1);
  EXPECT_TRUE(sender.TrySend(std::move(second)).ok());
}

TEST_F(SharedChannelTest, UnboundedChannelTakesEverything) {
  auto [sender, receiver] = MakeUnboundedSharedChannel<Value>();
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(sender.TrySend(Make(i)).ok());
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(ReceiveNow(receiver), i);
}

TEST_F(SharedChannelTest, ReceiverWaitsForAValue) {
  auto [sender, receiver] = MakeSharedChannel<Value>();
  auto waiting = Spawn(Receive(&receiver));
  EXPECT_FALSE(waiting.done());
  EXPECT_TRUE(sender.TrySend(Make(7)).ok());
  TurnABit();
  ASSERT_TRUE(waiting.done());
  EXPECT_EQ(**waiting.TakeResult(), 7);
}

TEST_F(SharedChannelTest, SendersWaitForRoomInTheOrderTheyCame) {
  auto [sender, receiver] = MakeSharedChannel<Value>(1);
  EXPECT_TRUE(sender.TrySend(Make(0)).ok());
  std::vector<Value> values;
  std::vector<JoinHandle<absl::Status>> sends;
  for (int i = 0; i < 3; ++i) values.push_back(Make(i + 1));
  for (Value& value : values) sends.push_back(Spawn(Send(sender, &value)));
  EXPECT_FALSE(sends[0].done());

  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(ReceiveNow(receiver), i);
    EXPECT_TRUE(absl::IsResourceExhausted(sender.TrySend(Make(9))) || i == 3)
        << "overtakes those who wait";
    TurnABit();
    for (int j = 0; j < 3; ++j) EXPECT_EQ(sends[j].done(), j <= i) << i;
  }

  for (JoinHandle<absl::Status>& send : sends)
    EXPECT_TRUE(send.TakeResult().ok());
}

// --- The end

TEST_F(SharedChannelTest, EndsWhenTheLastSenderHasGoneAndAllIsReceived) {
  auto [sender, receiver] = MakeSharedChannel<Value>();
  std::optional<SharedSender<Value>> first(std::move(sender)), second(first);
  EXPECT_TRUE(first->TrySend(Make(1)).ok());
  first.reset();
  EXPECT_TRUE(second->TrySend(Make(2)).ok());
  second.reset();

  EXPECT_EQ(**Spawn(Receive(&receiver)).TakeResult(), 1);
  EXPECT_EQ(**Spawn(Receive(&receiver)).TakeResult(), 2);
  EXPECT_TRUE(
      absl::IsUnavailable(Spawn(Receive(&receiver)).TakeResult().status()));
}

TEST_F(SharedChannelTest, EndWakesTheReceiver) {
  auto [sender, receiver] = MakeSharedChannel<Value>();
  auto waiting = Spawn(Receive(&receiver));
  EXPECT_FALSE(waiting.done());
  sender.Close();
  TurnABit();
  ASSERT_TRUE(waiting.done());
  EXPECT_TRUE(absl::IsUnavailable(waiting.TakeResult().status()));
  EXPECT_TRUE(absl::IsUnavailable(sender.TrySend(Make(1))));
}

TEST_F(SharedChannelTest, ValuesComeBackWhenTheReceiverHasGone) {
  std::optional<SharedChannel<Value>> channel(MakeSharedChannel<Value>(1));
  SharedSender<Value> sender = channel->sender;
  EXPECT_TRUE(sender.TrySend(Make(0)).ok());
  Value waiting = Make(1), late = Make(2);
  JoinHandle<absl::Status> send = Spawn(Send(sender, &waiting));
  EXPECT_FALSE(send.done());

  channel.reset();
  TurnABit();

  EXPECT_TRUE(sender.closed());
  ASSERT_TRUE(send.done());
  EXPECT_TRUE(absl::IsUnavailable(send.TakeResult()));
  EXPECT_EQ(*waiting, 1);
  EXPECT_TRUE(absl::IsUnavailable(sender.TrySend(std::move(late))));
  EXPECT_TRUE(absl::IsUnavailable(Spawn(Send(sender, &late)).TakeResult()));
  EXPECT_EQ(*late, 2);
}

TEST_F(SharedChannelTest, ReceiverThatGoesDestroysWhatIsInside) {
  auto counted = std::make_shared<int>(0);
  {
    auto [sender, receiver] = MakeSharedChannel<std::shared_ptr<int>>(4);
    EXPECT_TRUE(sender.TrySend(std::shared_ptr<int>(counted)).ok());
    EXPECT_EQ(counted.use_count(), 2);
    const SharedReceiver<std::shared_ptr<int>> gone = std::move(receiver);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

TEST_F(SharedChannelTest, ReceiverThatClosesStillGetsWhatIsInside) {
  auto [sender, receiver] = MakeSharedChannel<Value>();
  EXPECT_TRUE(sender.TrySend(Make(1)).ok());
  receiver.Close();
  EXPECT_TRUE(absl::IsUnavailable(sender.TrySend(Make(2))));
  EXPECT_EQ(**Spawn(Receive(&receiver)).TakeResult(), 1);
  EXPECT_TRUE(
      absl::IsUnavailable(Spawn(Receive(&receiver)).TakeResult().status()));
}

// --- Cancelling

TEST_F(SharedChannelTest, CancelOfASenderThatWaitsLeavesNoTrace) {
  auto [sender, receiver] = MakeSharedChannel<Value>(1);
  EXPECT_TRUE(sender.TrySend(Make(0)).ok());
  Value first = Make(1), second = Make(2);
  JoinHandle<absl::Status> cancelled = Spawn(Send(sender, &first));
  JoinHandle<absl::Status> next = Spawn(Send(sender, &second));

  cancelled.Cancel();
  TurnABit();

  ASSERT_TRUE(cancelled.done());
  EXPECT_TRUE(absl::IsCancelled(cancelled.TakeResult()));
  EXPECT_EQ(*first, 1);
  EXPECT_EQ(ReceiveNow(receiver), 0);
  EXPECT_EQ(ReceiveNow(receiver), 2);
  TurnABit();
  EXPECT_TRUE(next.TakeResult().ok());
}

TEST_F(SharedChannelTest, CancelThatComesAfterTheValueWasTakenIsTooLate) {
  auto [sender, receiver] = MakeSharedChannel<Value>(1);
  EXPECT_TRUE(sender.TrySend(Make(0)).ok());
  Value value = Make(1);
  JoinHandle<absl::Status> send = Spawn(Send(sender, &value));

  EXPECT_EQ(ReceiveNow(receiver), 0);
  send.Cancel();
  TurnABit();

  EXPECT_TRUE(send.TakeResult().ok());
  EXPECT_EQ(ReceiveNow(receiver), 1);
}

TEST_F(SharedChannelTest, CancelledReceiverLosesNoValue) {
  auto [sender, receiver] = MakeSharedChannel<Value>();
  auto early = Spawn(Receive(&receiver));
  early.Cancel();
  EXPECT_TRUE(sender.TrySend(Make(1)).ok());
  TurnABit();
  EXPECT_TRUE(absl::IsCancelled(early.TakeResult().status()));
  EXPECT_EQ(ReceiveNow(receiver), 1);

  auto late = Spawn(Receive(&receiver));
  EXPECT_TRUE(sender.TrySend(Make(2)).ok());
  late.Cancel();
  TurnABit();
  EXPECT_EQ(**late.TakeResult(), 2);
}

Task<absl::Status> SendWhenCancelled(SharedSender<Value> sender, Value* value) {
  Executor::Current()->current_task()->RequestCancel();
  co_return co_await sender.Send(std::move(*value));
}
Task<absl::StatusOr<Value>> ReceiveWhenCancelled(
    SharedReceiver<Value>* receiver) {
  Executor::Current()->current_task()->RequestCancel();
  co_return co_await receiver->Receive();
}

TEST_F(SharedChannelTest, CancelledTaskNeitherSendsNorReceives) {
  auto [sender, receiver] = MakeSharedChannel<Value>();
  Value value = Make(1);
  EXPECT_TRUE(
      absl::IsCancelled(Spawn(SendWhenCancelled(sender, &value)).TakeResult()));
  EXPECT_TRUE(sender.TrySend(std::move(value)).ok());
  EXPECT_TRUE(absl::IsCancelled(
      Spawn(ReceiveWhenCancelled(&receiver)).TakeResult().status()));
  EXPECT_EQ(ReceiveNow(receiver), 1);
}

// --- The executor ends under those who wait

TEST_F(SharedChannelTest, FramesThatAreDestroyedWhereTheyWaitLeaveNoTrace) {
  auto [sender, receiver] = MakeSharedChannel<Value>(1);
  EXPECT_TRUE(sender.TrySend(Make(0)).ok());
  Value value = Make(1);
  Spawn(Send(sender, &value)).Detach();
  executor_.reset();
  EXPECT_EQ(*value, 1);
  EXPECT_EQ(ReceiveNow(receiver), 0);
  EXPECT_EQ(ReceiveNow(receiver), -1);

  executor_ = MakeExecutor();
  Spawn(Receive(&receiver)).Detach();
  executor_.reset();
  EXPECT_TRUE(sender.TrySend(std::move(value)).ok());
  EXPECT_EQ(ReceiveNow(receiver), 1);
}

TEST_F(SharedChannelTest, WakeUpThatTheEndOvertakesIsHarmless) {
  auto [sender, receiver] = MakeSharedChannel<Value>(1);
  Spawn(Receive(&receiver)).Detach();
  EXPECT_TRUE(sender.TrySend(Make(1)).ok());
  Value value = Make(2);
  Spawn(Send(sender, &value)).Detach();
  executor_.reset();
  EXPECT_TRUE(ReceiveNow(receiver) == 1 || ReceiveNow(receiver) == -1);
}

// --- What it costs the receiver's loop

void SendHundred(const SharedSender<Value>& sender) {
  std::thread([sender = sender]() mutable {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(sender.TrySend(Make(i)).ok());
  }).join();
}

Task<int> Count(SharedReceiver<Value>* receiver) {
  int n = 0;
  while (true) {
    absl::StatusOr<Value> value = co_await receiver->Receive();
    if (!value.ok()) co_return n;
    ++n;
  }
}

TEST_F(SharedChannelTest, LoopThatIsAwakeIsNotRungForAndWokenOncePerBatch) {
  auto [sender, receiver] = MakeSharedChannel<Value>();
  JoinHandle<int> count = Spawn(Count(&receiver));
  const uint64_t messages = executor_->stats().loop.messages;

  for (int batch = 1; batch <= 3; ++batch) {
    SendHundred(sender);
    TurnABit();
    EXPECT_EQ(executor_->stats().loop.messages - messages, batch);
  }

  EXPECT_EQ(executor_->stats().loop.backend.notifications, 0u);
  sender.Close();
  TurnABit();
  EXPECT_EQ(*count.TakeResult(), 300);
}

TEST_F(SharedChannelTest, LoopThatSleepsIsRungForOncePerBatch) {
  auto [sender, receiver] = MakeSharedChannel<Value>();
  JoinHandle<int> count = Spawn(Count(&receiver));
  const std::shared_ptr<Inbox> inbox = executor_->loop().inbox();

  for (uint64_t batch = 1; batch <= 3; ++batch) {
    ASSERT_TRUE(inbox->FallAsleep());
    SendHundred(sender);
    inbox->WokeUp();
    TurnABit();
    EXPECT_EQ(executor_->stats().loop.backend.notifications, batch);
  }

  sender.Close();
  TurnABit();
  EXPECT_EQ(*count.TakeResult(), 300);
}

Task<void> ReceiveTwiceAtOnce() {
  auto [sender, receiver] = MakeSharedChannel<Value>();
  auto other = ringway::Spawn(Receive(&receiver));
  co_await Yield();
  (co_await receiver.Receive()).status().IgnoreError();
}

TEST(SharedChannelDeathTest, OneTaskReceivesAtATime) {
  EXPECT_DEATH((*Executor::Create())->Run(ReceiveTwiceAtOnce()).IgnoreError(),
               "two tasks receive");
}

TEST(SharedChannelDeathTest, AnEndThatWasMovedFromIsNamed) {
  auto [sender, receiver] = MakeSharedChannel<Value>();
  SharedSender<Value> kept_sender = std::move(sender);
  SharedReceiver<Value> kept_receiver = std::move(receiver);
  constexpr char kSender[] = "a SharedSender was used after it was moved from";
  constexpr char kReceiver[] =
      "a SharedReceiver was used after it was moved from";
  EXPECT_DEATH(sender.closed(), kSender);
  EXPECT_DEATH(sender.Close(), kSender);
  EXPECT_DEATH(static_cast<void>(sender.Send(Value())), kSender);
  EXPECT_DEATH(sender.TrySend(Value()).IgnoreError(), kSender);
  EXPECT_DEATH(SharedSender<Value>{sender}, kSender);
  EXPECT_DEATH(receiver.Close(), kReceiver);
  EXPECT_DEATH(static_cast<void>(receiver.Receive()), kReceiver);
  EXPECT_DEATH(receiver.TryReceive().status().IgnoreError(), kReceiver);
}

TEST(SharedChannelDeathTest, CapacityIsAtLeastOne) {
  EXPECT_DEATH(MakeSharedChannel<Value>(0), "at least 1");
}

}  // namespace
}  // namespace ringway
