// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/sync/oneshot.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

// Move-only.
using Box = std::unique_ptr<int>;

Task<absl::Status> SendLater(OneshotSender<Box> sender, int value) {
  co_await Yield();
  co_return sender.Send(std::make_unique<int>(value));
}

Task<absl::StatusOr<int>> Receive(OneshotReceiver<Box> receiver) {
  absl::StatusOr<Box> box = co_await receiver.Receive();
  if (!box.ok()) co_return box.status();
  co_return **box;
}

Task<void> ReceiveFromATask() {
  Oneshot<Box> oneshot;
  JoinHandle<absl::Status> sender =
      Spawn(SendLater(std::move(oneshot.sender), 7));
  const absl::StatusOr<Box> box = co_await oneshot.receiver.Receive();
  EXPECT_EQ(**box, 7);
  EXPECT_TRUE((co_await sender).ok());
  const absl::StatusOr<Box> again = co_await oneshot.receiver.Receive();
  EXPECT_EQ(again.status().code(), absl::StatusCode::kUnavailable);
}

TEST(Oneshot, DeliversItsValueOnce) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(ReceiveFromATask()).ok());
}

Task<void> DropTheSender() {
  auto [sender, receiver] = Oneshot<Box>();
  JoinHandle<absl::StatusOr<int>> waits = Spawn(Receive(std::move(receiver)));
  co_await Yield();
  EXPECT_FALSE(waits.done());
  sender = OneshotSender<Box>();
  EXPECT_EQ((co_await waits).status().code(), absl::StatusCode::kUnavailable);
}

TEST(Oneshot, ADroppedSenderIsAnErrorThatIsNotCancelled) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(DropTheSender()).ok());
}

Task<absl::Status> WaitUntilClosed(OneshotSender<Box>* sender) {
  co_return co_await sender->Closed();
}

Task<void> DropTheReceiver() {
  auto [sender, receiver] = Oneshot<Box>();
  JoinHandle<absl::Status> notices = Spawn(WaitUntilClosed(&sender));
  co_await Yield();
  EXPECT_FALSE(sender.closed());
  EXPECT_FALSE(notices.done());
  receiver = OneshotReceiver<Box>();
  EXPECT_TRUE(sender.closed());
  EXPECT_TRUE((co_await notices).ok());
  EXPECT_TRUE((co_await sender.Closed()).ok()) << "at once";
  Box box = std::make_unique<int>(7);
  EXPECT_EQ(sender.Send(std::move(box)).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(*box, 7);  // NOLINT(bugprone-use-after-move): not taken
}

TEST(Oneshot, TheSenderSeesThatTheReceiverIsGoneAndKeepsItsValue) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(DropTheReceiver()).ok());
}

Task<void> CancelClosed() {
  Oneshot<Box> oneshot;
  JoinHandle<absl::Status> notices = Spawn(WaitUntilClosed(&oneshot.sender));
  co_await Yield();
  notices.Cancel();
  EXPECT_EQ((co_await notices).code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(oneshot.sender.Send(std::make_unique<int>(7)).ok());
  EXPECT_EQ(**oneshot.receiver.TryReceive(), 7);
}

TEST(Oneshot, AwaitingClosedCanBeCancelledAndChangesNothing) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelClosed()).ok());
}

Task<absl::StatusOr<int>> ReceiveAt(OneshotReceiver<Box>* receiver) {
  absl::StatusOr<Box> box = co_await receiver->Receive();
  if (!box.ok()) co_return box.status();
  co_return **box;
}

Task<void> CancelThenReceiveAgain() {
  Oneshot<Box> oneshot;
  JoinHandle<absl::StatusOr<int>> first = Spawn(ReceiveAt(&oneshot.receiver));
  co_await Yield();
  first.Cancel();
  EXPECT_TRUE(oneshot.sender.Send(std::make_unique<int>(7)).ok());
  EXPECT_EQ((co_await first).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(*co_await ReceiveAt(&oneshot.receiver), 7);
}

TEST(Oneshot, ACancelledReceiveLosesNothing) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelThenReceiveAgain()).ok());
}

Task<void> SendThenCancel() {
  Oneshot<Box> oneshot;
  JoinHandle<absl::StatusOr<int>> waits = Spawn(ReceiveAt(&oneshot.receiver));
  co_await Yield();
  EXPECT_TRUE(oneshot.sender.Send(std::make_unique<int>(7)).ok());
  waits.Cancel();
  EXPECT_EQ(*co_await waits, 7);
}

TEST(Oneshot, ATaskCancelledAfterTheValueCameGetsIt) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(SendThenCancel()).ok());
}

TEST(Oneshot, EndsMayMoveWhileTheyAreConnected) {
  Oneshot<int> first;
  Oneshot<int> second = std::move(first);
  std::vector<OneshotReceiver<int>> receivers;
  receivers.push_back(std::move(second.receiver));
  receivers.resize(10);  // moves the first
  OneshotSender<int> sender;
  sender = std::move(second.sender);
  EXPECT_TRUE(first.sender.closed());
  EXPECT_TRUE(second.sender.closed());
  EXPECT_TRUE(sender.Send(7).ok());
  OneshotReceiver<int> with_value = std::move(receivers[0]);
  EXPECT_EQ(*with_value.TryReceive(), 7);
}

TEST(Oneshot, TryReceiveTellsNotYetFromNever) {
  Oneshot<int> oneshot;
  EXPECT_EQ(oneshot.receiver.TryReceive().status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_FALSE(oneshot.receiver.ready());
  oneshot.sender = OneshotSender<int>();
  EXPECT_EQ(oneshot.receiver.TryReceive().status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_TRUE(oneshot.receiver.ready());
}

TEST(Oneshot, SendsOnlyOnce) {
  Oneshot<int> oneshot;
  EXPECT_TRUE(oneshot.sender.Send(1).ok());
  EXPECT_TRUE(oneshot.sender.closed());
  EXPECT_EQ(oneshot.sender.Send(2).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(*oneshot.receiver.TryReceive(), 1);
}

TEST(Oneshot, AValueThatNobodyReceivedGoesWithTheReceiver) {
  auto held = std::make_shared<int>(1);
  {
    Oneshot<std::shared_ptr<int>> oneshot;
    EXPECT_TRUE(oneshot.sender.Send(std::shared_ptr<int>(held)).ok());
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

Task<void> MoveAnAwaitedReceiver() {
  Oneshot<Box> oneshot;
  JoinHandle<absl::StatusOr<int>> waits = Spawn(ReceiveAt(&oneshot.receiver));
  co_await Yield();
  const OneshotReceiver<Box> moved = std::move(oneshot.receiver);
}
Task<void> AwaitAReceiverTwice() {
  Oneshot<Box> oneshot;
  JoinHandle<absl::StatusOr<int>> waits = Spawn(ReceiveAt(&oneshot.receiver));
  co_await Yield();
  static_cast<void>(co_await oneshot.receiver.Receive());
}

TEST(OneshotDeathTest, MisuseOfAnAwaitedEndDiesWithAMessage) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        static_cast<void>(executor->Run(MoveAnAwaitedReceiver()));
      },
      "moved or dropped while a task awaits it");
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        static_cast<void>(executor->Run(AwaitAReceiverTwice()));
      },
      "two tasks await the same OneshotReceiver");
}

}  // namespace
}  // namespace ringway
