// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/sync/channel.h"

#include <memory>
#include <string>
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
Box MakeBox(int value) { return std::make_unique<int>(value); }

// Sends first, first + 1, ...; gives the status of the first that failed.
Task<absl::Status> SendSome(Channel<Box>* channel, int first, int n) {
  for (int i = first; i < first + n; ++i) {
    Box box = MakeBox(i);
    const absl::Status sent = co_await channel->Send(std::move(box));
    EXPECT_EQ(box == nullptr, sent.ok()) << "taken if and only if sent";
    if (!sent.ok()) co_return sent;
  }
  co_return absl::OkStatus();
}

// Receives until it fails; gives the status.
Task<absl::Status> ReceiveAll(Channel<Box>* channel, std::vector<int>* log) {
  while (true) {
    absl::StatusOr<Box> box = co_await channel->Receive();
    if (!box.ok()) co_return box.status();
    log->push_back(**box);
  }
}

Task<absl::StatusOr<int>> ReceiveOne(Channel<Box>* channel) {
  absl::StatusOr<Box> box = co_await channel->Receive();
  if (!box.ok()) co_return box.status();
  co_return **box;
}

std::vector<int> UpTo(int n) {
  std::vector<int> values;
  for (int i = 0; i < n; ++i) values.push_back(i);
  return values;
}

// One suite for the capacities that behave differently inside.
class ChannelOf : public testing::TestWithParam<size_t> {
 protected:
  static std::unique_ptr<Channel<Box>> Make() {
    return std::make_unique<Channel<Box>>(GetParam());
  }
  VirtualTimeExecutor executor_;
};

INSTANTIATE_TEST_SUITE_P(Capacities, ChannelOf,
                         testing::Values(0, 1, 3, 64, 1000),
                         testing::PrintToStringParamName());

Task<void> SendAHundred(Channel<Box>* channel, std::vector<int>* log) {
  JoinHandle<absl::Status> receiver = Spawn(ReceiveAll(channel, log));
  EXPECT_TRUE((co_await SendSome(channel, 0, 100)).ok());
  channel->Close();
  EXPECT_EQ((co_await receiver).code(), absl::StatusCode::kUnavailable);
}

TEST_P(ChannelOf, DeliversEverythingInOrderAndThenEnds) {
  auto channel = Make();
  std::vector<int> log;
  EXPECT_TRUE(executor_->Run(SendAHundred(channel.get(), &log)).ok());
  EXPECT_EQ(log, UpTo(100));
}

Task<void> SendUntilItWaits(Channel<Box>* channel, size_t n_fit) {
  JoinHandle<absl::Status> sender = Spawn(SendSome(channel, 0, 10'000));
  while (channel->size() < n_fit) co_await Yield();
  for (int i = 0; i < 100; ++i) co_await Yield();
  EXPECT_EQ(channel->size(), n_fit);
  Box refused = MakeBox(-1);
  EXPECT_EQ(channel->TrySend(std::move(refused)).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(*refused, -1);  // NOLINT(bugprone-use-after-move): not taken
  // New room goes to the waiting sender.
  EXPECT_EQ(*co_await ReceiveOne(channel), 0);
  EXPECT_EQ(channel->size(), n_fit);
  sender.Cancel();
  EXPECT_EQ((co_await sender).code(), absl::StatusCode::kCancelled);
}

TEST_P(ChannelOf, HoldsAsManyAsItsCapacityAndMakesSendersWait) {
  auto channel = Make();
  EXPECT_TRUE(executor_->Run(SendUntilItWaits(channel.get(), GetParam())).ok());
}

Task<void> ServeReceiversInOrder(Channel<Box>* channel) {
  std::vector<JoinHandle<absl::StatusOr<int>>> receivers;
  for (int i = 0; i < 5; ++i) receivers.push_back(Spawn(ReceiveOne(channel)));
  co_await Yield();
  receivers[1].Cancel();
  EXPECT_TRUE((co_await SendSome(channel, 0, 4)).ok());
  EXPECT_EQ(channel->size(), 0u) << "handed over directly";
  const std::vector<int> expected = {0, -1, 1, 2, 3};
  for (size_t i = 0; i < receivers.size(); ++i) {
    const absl::StatusOr<int> got = co_await receivers[i];
    EXPECT_EQ(got.ok() ? *got : -1, expected[i]);
  }
}

TEST_P(ChannelOf, GivesToReceiversInTheOrderTheyCameAndNotToTheCancelled) {
  auto channel = Make();
  EXPECT_TRUE(executor_->Run(ServeReceiversInOrder(channel.get())).ok());
}

Task<void> ServeSendersInOrder(size_t capacity, std::vector<int>* log) {
  Channel<Box> channel(capacity);
  for (size_t i = 0; i < capacity; ++i)
    EXPECT_TRUE(channel.TrySend(MakeBox(-1)).ok());
  std::vector<JoinHandle<absl::Status>> senders;
  for (int i = 0; i < 5; ++i)
    senders.push_back(Spawn(SendSome(&channel, i, 1)));
  co_await Yield();
  senders[2].Cancel();
  JoinHandle<absl::Status> receiver = Spawn(ReceiveAll(&channel, log));
  for (size_t i = 0; i < senders.size(); ++i)
    EXPECT_EQ((co_await senders[i]).ok(), i != 2);
  channel.Close();
  static_cast<void>(co_await receiver);
  std::erase(*log, -1);
}

TEST(Channel, TakesFromSendersInTheOrderTheyCameAndNotFromTheCancelled) {
  for (const size_t capacity : {0, 1, 4}) {
    VirtualTimeExecutor executor;
    std::vector<int> log;
    EXPECT_TRUE(executor->Run(ServeSendersInOrder(capacity, &log)).ok());
    EXPECT_EQ(log, (std::vector<int>{0, 1, 3, 4})) << capacity;
  }
}

Task<void> CloseWithSomeInIt() {
  Channel<Box> channel(2);
  JoinHandle<absl::Status> sender = Spawn(SendSome(&channel, 0, 3));
  co_await Yield();
  channel.Close();
  EXPECT_TRUE(channel.closed());
  EXPECT_EQ((co_await sender).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ((co_await SendSome(&channel, 9, 1)).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(channel.TrySend(MakeBox(9)).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(*co_await ReceiveOne(&channel), 0);
  EXPECT_EQ(**channel.TryReceive(), 1);
  EXPECT_EQ((co_await ReceiveOne(&channel)).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(channel.TryReceive().status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(Channel, CloseRefusesSendersAndLetsReceiversDrainIt) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CloseWithSomeInIt()).ok());
}

Task<void> CloseAndDestroyAtOnce() {
  auto channel = std::make_unique<Channel<Box>>(0);
  JoinHandle<absl::StatusOr<int>> receiver = Spawn(ReceiveOne(channel.get()));
  co_await Yield();
  channel->Close();
  channel.reset();
  EXPECT_EQ((co_await receiver).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(Channel, MayBeGoneOnceClosedWhenThoseWhoWaitedGoOn) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CloseAndDestroyAtOnce()).ok());
}

Task<void> CancelReceiverAfterHandOver() {
  Channel<Box> channel(1);
  JoinHandle<absl::StatusOr<int>> receiver = Spawn(ReceiveOne(&channel));
  co_await Yield();
  EXPECT_TRUE(channel.TrySend(MakeBox(7)).ok());
  receiver.Cancel();
  EXPECT_EQ(*co_await receiver, 7);
}

TEST(Channel, AReceiverCancelledAfterTheHandOverHasTheValue) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelReceiverAfterHandOver()).ok());
}

Task<void> CancelSenderAfterAcceptance() {
  Channel<Box> channel(0);
  JoinHandle<absl::Status> sender = Spawn(SendSome(&channel, 7, 1));
  co_await Yield();
  const absl::StatusOr<Box> box = channel.TryReceive();
  EXPECT_EQ(**box, 7);
  sender.Cancel();
  EXPECT_TRUE((co_await sender).ok());
}

TEST(Channel, ASenderCancelledAfterItsValueWasAcceptedHasSent) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelSenderAfterAcceptance()).ok());
}

TEST(Channel, OfCapacityZeroHoldsNothing) {
  Channel<std::string> channel(0);
  std::string value = "kept";
  EXPECT_EQ(channel.TrySend(std::move(value)).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(value, "kept");  // NOLINT(bugprone-use-after-move): not taken
  EXPECT_EQ(channel.TryReceive().status().code(), absl::StatusCode::kNotFound);
}

TEST(Channel, UnboundedTakesWhateverIsSent) {
  auto channel = Channel<int>::Unbounded();
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(channel.TrySend(i).ok());
  EXPECT_EQ(channel.size(), 100'000u);
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(*channel.TryReceive(), i);
}

TEST(Channel, DestroysWhatNobodyReceived) {
  auto held = std::make_shared<int>(1);
  {
    Channel<std::shared_ptr<int>> channel(4);
    EXPECT_TRUE(channel.TrySend(std::shared_ptr<int>(held)).ok());
    channel.Close();
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace ringway
