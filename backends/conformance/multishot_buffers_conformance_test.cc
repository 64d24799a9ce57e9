// SPDX-License-Identifier: Apache-2.0
//
// Multishot receives and the buffers that they share: with few, with none left,
// and with buffers that are held for long; nothing is lost and nothing spins.

#include <algorithm>
#include <cerrno>
#include <deque>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/conformance/multishot_fixture.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

// Instantiated in multishot_conformance_test.cc.

TEST_P(MultishotConformance, TwoBuffersServeFiftyConnections) {
  constexpr size_t kConnections = 50, kBytes = 1'024, kBuffer = 64;
  std::deque<Receiver> receivers = MakeReceivers(kConnections);
  BackendDriver driver(MakeForTest(WithBuffers(2, kBuffer)));
  for (size_t i = 0; i < kConnections; ++i) {
    SendAll(receivers[i].sockets.second.get(),
            Pattern(kBytes, static_cast<unsigned>(i)));
    PrepareRecvMultishot(receivers[i].op, receivers[i].sockets.first.get());
    driver.Start(receivers[i].op);
  }

  size_t n_bytes = 0;
  EXPECT_TRUE(driver.RunUntil([&] {
    n_bytes = 0;
    for (Receiver& receiver : receivers) {
      receiver.Take(driver);
      n_bytes += receiver.received.size();
    }
    return n_bytes >= kConnections * kBytes;
  }));

  EXPECT_EQ(n_bytes, kConnections * kBytes);
  for (size_t i = 0; i < kConnections; ++i) {
    EXPECT_TRUE(receivers[i].received ==
                Pattern(kBytes, static_cast<unsigned>(i)))
        << "stream " << i;
    EXPECT_FALSE(receivers[i].op.ended());
  }
  // Each re-arming takes a buffer's worth or ends the turn's supply.
  const BackendStats stats = driver->stats();
  EXPECT_LE(stats.rearms, 2 * stats.deliveries + kConnections);
  EXPECT_LE(stats.system_calls, 2 * stats.deliveries + 2 * kConnections);
}

TEST_P(MultishotConformance, WithoutBuffersNothingSpinsUntilOneIsReturned) {
  constexpr size_t kConnections = 10;
  std::deque<Receiver> receivers = MakeReceivers(kConnections);
  BackendDriver driver(MakeForTest(WithBuffers(2, 64)));
  for (Receiver& receiver : receivers) {
    SendAll(receiver.sockets.second.get(), Pattern(64));
    PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
    driver.Start(receiver.op);
  }
  ASSERT_TRUE(driver.RunUntil(
      [&] { return driver->stats().buffer_starved >= kConnections - 2; }));
  std::vector<Delivery> held;
  for (Receiver& receiver : receivers) {
    for (Delivery delivery; driver->TakeDelivery(receiver.op, delivery);) {
      held.push_back(delivery);
    }
  }
  ASSERT_EQ(held.size(), 2u);
  const BackendStats before = driver->stats();

  driver.TurnWithoutBlocking(1'000);

  // Other backends than io_uring ask once a turn whether there is anything.
  EXPECT_LE(driver->stats().system_calls - before.system_calls,
            IsUring() ? 2u : 1'000u);
  EXPECT_EQ(driver->stats().rearms, before.rearms);

  driver.Turn(driver->clock().Now() + absl::Milliseconds(2));
  EXPECT_EQ(driver->stats().waits, before.waits + 1) << "it did not block";

  for (const Delivery& delivery : held)
    driver->ReturnBuffer(delivery.buffer_id);
  size_t n_events = held.size();
  EXPECT_TRUE(driver.RunUntil([&] {
    for (Receiver& receiver : receivers) n_events += receiver.Take(driver);
    return n_events == kConnections;
  }));
}

TEST_P(MultishotConformance, ReceiveThatWaitsForABufferCanBeCancelled) {
  Receiver holder(system()), starved(system());
  BackendDriver driver(MakeForTest(WithBuffers(1, 64)));
  for (Receiver* receiver : {&holder, &starved}) {
    SendAll(receiver->sockets.second.get(), "x");
    PrepareRecvMultishot(receiver->op, receiver->sockets.first.get());
    driver.Start(receiver->op);
  }
  ASSERT_TRUE(
      driver.RunUntil([&] { return driver->stats().buffer_starved > 0; }));
  driver.TurnWithoutBlocking();
  CountedMultishot& waiting =
      starved.op.first_delivery == nullptr ? starved.op : holder.op;

  EXPECT_EQ(driver.Cancel(waiting), CancelOutcome::kRequested);
  EXPECT_TRUE(driver.RunUntil([&] { return waiting.told > 0; }));

  EXPECT_EQ(waiting.result, -ECANCELED);
  EXPECT_EQ(driver.Cancel(waiting), CancelOutcome::kNotFound);
  driver->DropDeliveries(holder.op);
  driver->DropDeliveries(starved.op);
}

TEST_P(MultishotConformance, FourSmallBuffersServeTwoHundredConnections) {
  constexpr size_t kConnections = 200, kRounds = 5, kBytes = 4'000;
  std::deque<Receiver> receivers = MakeReceivers(kConnections);
  BackendDriver driver(MakeForTest(WithBuffers(4, 1'024)));
  for (Receiver& receiver : receivers) {
    PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
    driver.Start(receiver.op);
  }
  driver.StartEverything();
  for (size_t round = 1; round <= kRounds; ++round) {
    for (size_t i = 0; i < kConnections; ++i) {
      SendAll(receivers[i].sockets.second.get(),
              Pattern(kBytes, static_cast<unsigned>(i)));
    }
    ASSERT_TRUE(driver.RunUntil([&] {
      for (Receiver& receiver : receivers) receiver.Take(driver);
      return std::all_of(receivers.begin(), receivers.end(),
                         [&](const Receiver& receiver) {
                           return receiver.received.size() == round * kBytes;
                         });
    }));
  }
  for (size_t i = 0; i < kConnections; ++i) {
    const std::string sent = Pattern(kBytes, static_cast<unsigned>(i));
    for (size_t round = 0; round < kRounds; ++round) {
      EXPECT_TRUE(receivers[i].received.compare(round * kBytes, kBytes, sent) ==
                  0);
    }
  }
  const BackendStats stats = driver->stats();
  EXPECT_LE(stats.rearms, 2 * stats.deliveries + kConnections) << "it spun";
}

TEST_P(MultishotConformance, HoldersOfDeliveriesDoNotStarveOthers) {
  constexpr size_t kMessages = 100;
  Receiver holder(system()), other(system());
  BackendOptions options = WithBuffers(4, 1'024);
  options.receive_low_water = 2;
  BackendDriver driver(MakeForTest(options));
  std::vector<Delivery> held;
  for (Receiver* receiver : {&holder, &other}) {
    PrepareRecvMultishot(receiver->op, receiver->sockets.first.get());
    driver.Start(receiver->op);
  }
  driver.StartEverything();
  const auto take_and_hold = [&] {
    for (Delivery delivery; driver->TakeDelivery(holder.op, delivery);) {
      held.push_back(delivery);
    }
    return held.size();
  };

  for (size_t i = 0; i < kMessages; ++i) {
    SendAll(holder.sockets.second.get(),
            Pattern(100, static_cast<unsigned>(i)));
    ASSERT_TRUE(driver.RunUntil([&] { return take_and_hold() == i + 1; }));
    SendAll(other.sockets.second.get(), "x");
    ASSERT_TRUE(driver.RunUntil([&] {
      other.Take(driver);
      return other.received.size() == i + 1;
    }));
  }

  EXPECT_GE(driver->stats().buffers_copied, kMessages - 4);
  for (size_t i = 0; i < kMessages; ++i) {
    EXPECT_EQ(AsText({held[i].data, static_cast<size_t>(held[i].result)}),
              Pattern(100, static_cast<unsigned>(i)))
        << "delivery " << i << " did not stay as it was";
    driver->ReturnBuffer(held[i].buffer_id);
  }
}

TEST_P(MultishotConformance, CopiesEndAtTheirLimitAndReceivesWaitForABuffer) {
  constexpr size_t kMessages = 50;
  Receiver receiver(system());
  BackendOptions options = WithBuffers(4, 1'024);
  options.receive_low_water = 4;
  options.receive_copy_bytes = 2'000;
  BackendDriver driver(MakeForTest(options));
  PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
  driver.Start(receiver.op);
  driver.StartEverything();
  std::vector<Delivery> held;
  for (size_t i = 0; i < kMessages; ++i) {
    SendAll(receiver.sockets.second.get(), std::string(100, 'x'));
    driver.TurnWithoutBlocking();
    for (Delivery delivery; driver->TakeDelivery(receiver.op, delivery);) {
      held.push_back(delivery);
    }
  }
  const uint64_t copied = driver->stats().buffers_copied;
  EXPECT_GE(copied, 1u);
  EXPECT_LE(copied, 20u) << "copies take more than their limit";
  EXPECT_EQ(held.size(), copied + 4) << "then four buffers, then none";

  size_t n_bytes = 0;
  for (const Delivery& delivery : held) {
    n_bytes += static_cast<size_t>(delivery.result);
    driver->ReturnBuffer(delivery.buffer_id);
  }
  EXPECT_TRUE(driver.RunUntil([&] {
    receiver.Take(driver);
    return n_bytes + receiver.received.size() == kMessages * 100;
  }));
}

TEST_P(MultishotConformance, BuffersOfACancelledReceiveGoBackWhenDropped) {
  Receiver last(system());
  BackendDriver driver(MakeForTest(WithBuffers(2, 64)));
  for (int round = 0; round < 50; ++round) {
    Receiver receiver(system());
    SendAll(receiver.sockets.second.get(), Pattern(128));
    PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
    driver.Start(receiver.op);
    ASSERT_TRUE(
        driver.RunUntil([&] { return receiver.op.first_delivery != nullptr; }));
    driver.Cancel(receiver.op);
    ASSERT_TRUE(driver.RunUntil([&] { return receiver.op.ended(); }));
    driver->DropDeliveries(receiver.op);
  }
  // Had one been lost in a round, this one would get none.
  SendAll(last.sockets.second.get(), Pattern(128));
  PrepareRecvMultishot(last.op, last.sockets.first.get());
  driver.Start(last.op);
  EXPECT_TRUE(driver.RunUntil([&] {
    last.Take(driver);
    return last.received.size() == 128;
  }));
}

TEST_P(MultishotConformanceDeathTest, ReturningABufferThatIsNotLentAborts) {
  EXPECT_DEATH(
      {
        BackendDriver driver(MakeForTest());
        driver->ReturnBuffer(0);
      },
      "none was ever lent");
}

}  // namespace
}  // namespace ringway::testing
