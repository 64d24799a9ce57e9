// SPDX-License-Identifier: Apache-2.0
//
// Multishot receives while every receive buffer is held: each advances in
// memory of its own (BackendOptions::receive_own_bytes). Before there was such
// memory, peers of tasks that keep what they receive stopped every connection
// of the worker.

#include <cerrno>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/conformance/multishot_fixture.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

constexpr uint32_t kOwnBytes = 100;

class OwnMemoryConformance : public MultishotConformance {
 protected:
  static BackendOptions OneBuffer() {
    BackendOptions options = WithBuffers(1, 64);
    options.receive_copy_bytes = 0;
    options.receive_own_bytes = kOwnBytes;
    return options;
  }

  void SetUp() override {
    MultishotConformance::SetUp();
    if (IsSkipped()) return;
    driver_.emplace(MakeForTest(OneBuffer()));
    holder_.emplace(system());
    Start(*holder_);
    Hold();
  }
  void TearDown() override {
    if (!driver_.has_value()) return;
    EXPECT_EQ(TextOf(held_), "held");
    driver()->ReturnBuffer(held_.buffer_id);
    Stop(*holder_);
  }

  BackendDriver& driver() { return *driver_; }

  // Takes the only buffer.
  void Hold() {
    SendAll(holder_->sockets.second.get(), "held");
    ASSERT_TRUE(
        driver().RunUntil([&] { return holder_->op.delivery_count == 1; }));
    ASSERT_TRUE(driver()->TakeDelivery(holder_->op, held_));
  }

  void Start(Receiver& receiver) {
    PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
    driver().Start(receiver.op);
  }

  void Stop(Receiver& receiver) {
    driver().Cancel(receiver.op);
    EXPECT_TRUE(driver().RunUntil([&] { return receiver.op.ended(); }));
    driver()->DropDeliveries(receiver.op);
  }

  bool RunUntilReceived(Receiver& receiver, std::string_view text) {
    return driver().RunUntil([&] {
      receiver.Take(driver());
      return receiver.received == text;
    });
  }

  static std::string TextOf(const Delivery& delivery) {
    return std::string(
        AsText({delivery.data, static_cast<size_t>(delivery.result)}));
  }

  std::optional<BackendDriver> driver_;
  std::optional<Receiver> holder_;
  Delivery held_;
};

TEST_P(OwnMemoryConformance, EveryStreamAdvancesWhileAllBuffersAreHeld) {
  constexpr size_t kStreams = 20, kBytes = 10'000;
  std::deque<Receiver> receivers = MakeReceivers(kStreams);
  for (size_t i = 0; i < kStreams; ++i) {
    Start(receivers[i]);
    SendAll(receivers[i].sockets.second.get(),
            Pattern(kBytes, static_cast<unsigned>(i)));
  }
  for (size_t i = 0; i < kStreams; ++i) {
    EXPECT_TRUE(RunUntilReceived(receivers[i],
                                 Pattern(kBytes, static_cast<unsigned>(i))))
        << "stream " << i << " stopped after " << receivers[i].received.size()
        << " bytes";
  }
  EXPECT_GE(driver()->stats().own_memory, kStreams * kBytes / kOwnBytes);
  for (Receiver& receiver : receivers) Stop(receiver);
}

TEST_P(OwnMemoryConformance, DeliveriesInItMayBeHeldToo) {
  Receiver other(system());
  Start(other);
  std::vector<Delivery> kept;
  for (int i = 0; i < 50; ++i) {
    SendAll(other.sockets.second.get(), std::to_string(i));
    ASSERT_TRUE(
        driver().RunUntil([&] { return other.op.delivery_count == 1; }));
    ASSERT_TRUE(driver()->TakeDelivery(other.op, kept.emplace_back()));
  }
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(TextOf(kept[static_cast<size_t>(i)]), std::to_string(i));
    driver()->ReturnBuffer(kept[static_cast<size_t>(i)].buffer_id);
  }
  Stop(other);
}

TEST_P(OwnMemoryConformance, WhatIsNotTakenIsNotFollowedByMore) {
  Receiver other(system());
  Start(other);
  const std::string sent = Pattern(10 * kOwnBytes);
  SendAll(other.sockets.second.get(), sent);
  ASSERT_TRUE(driver().RunUntil([&] { return other.op.delivery_count == 1; }));

  const BackendStats before = driver()->stats();
  driver().TurnWithoutBlocking(1'000);

  EXPECT_EQ(other.op.delivery_count, 1u) << "memory grows by what peers send";
  EXPECT_LE(driver()->stats().rearms - before.rearms, 3u) << "it spins";
  EXPECT_TRUE(RunUntilReceived(other, sent));
  Stop(other);
}

TEST_P(OwnMemoryConformance, AReturnedBufferServesAgain) {
  Receiver other(system());
  Start(other);
  SendAll(other.sockets.second.get(), "own");
  ASSERT_TRUE(RunUntilReceived(other, "own"));
  const uint64_t own = driver()->stats().own_memory;
  EXPECT_EQ(own, 1u);
  driver()->ReturnBuffer(held_.buffer_id);

  SendAll(other.sockets.second.get(), "lent");

  EXPECT_TRUE(RunUntilReceived(other, "ownlent"));
  EXPECT_EQ(driver()->stats().own_memory, own);
  Stop(other);
  Hold();
}

TEST_P(OwnMemoryConformance, EndsAndResetsNeedNoBuffer) {
  Receiver ended(system()), reset(system());
  Start(ended);
  ended.sockets.second.Reset();
  EXPECT_TRUE(driver().RunUntil([&] { return ended.op.ended(); }));
  EXPECT_EQ(ended.op.result, 0);

  TestFd listener = system().TcpListener(/*backlog=*/1);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  reset.sockets.first = system().Accept(listener.get());
  Start(reset);
  driver().TurnWithoutBlocking();
  system().ResetPeer(std::move(client));
  EXPECT_TRUE(driver().RunUntil([&] { return reset.op.ended(); }));
  EXPECT_EQ(reset.op.result, -ECONNRESET);
}

TEST_P(OwnMemoryConformance, CancelledReceiveLosesNothing) {
  Receiver other(system());
  for (int round = 0; round < 100; ++round) {
    Start(other);
    SendAll(other.sockets.second.get(), "x");
    driver().TurnWithoutBlocking(round % 4);
    driver().Cancel(other.op);
    ASSERT_TRUE(driver().RunUntil([&] { return other.op.ended(); }));
    other.Take(driver());
  }
  Start(other);
  EXPECT_TRUE(RunUntilReceived(other, std::string(100, 'x')));
  Stop(other);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(OwnMemoryConformance);

}  // namespace
}  // namespace ringway::testing
