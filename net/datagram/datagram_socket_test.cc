// SPDX-License-Identifier: Apache-2.0
//
// What UDP and Unix datagram sockets have in common, on every backend: lent
// datagrams.

#include "ringway/net/datagram/datagram_socket.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/testing/datagram_test.h"

namespace ringway::net {
namespace {

using ringway::testing::CountAllocations;
using testing::AsString;
using testing::Bytes;
using testing::Named;
using testing::TextOf;
using testing::TurnTimes;
using testing::ValueOf;

using DatagramSocketTest = testing::DatagramTest;
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(DatagramSocketTest);

TEST_P(DatagramSocketTest, LendsDatagramsWithTheirSenders) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    Named sender = Make();
    for (const std::string_view text : {"first", "", "third"}) {
      EXPECT_EQ(co_await sender.socket.SendTo(Bytes(text), receiver.address),
                absl::OkStatus());
      const absl::StatusOr<LentDatagram> got =
          co_await receiver.socket.ReceiveLent();
      EXPECT_EQ(TextOf(got), text);
      EXPECT_EQ(got->sender, sender.address);
      EXPECT_FALSE(got->truncated);
    }
  });
}

TEST_P(DatagramSocketTest, LendsTheLargestDatagramWhole) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    Named sender = Make();
    std::vector<std::byte> bytes(loses() ? 65'507 - (kind() == "udp6" ? 20 : 0)
                                         : 60'000);
    for (size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
    EXPECT_EQ(co_await sender.socket.SendTo(bytes, receiver.address),
              absl::OkStatus());
    const absl::StatusOr<LentDatagram> got =
        co_await receiver.socket.ReceiveLent();
    EXPECT_EQ(got.status(), absl::OkStatus());
    EXPECT_TRUE(std::ranges::equal(got->bytes.bytes(), bytes));
    EXPECT_FALSE(got->truncated);
  });
}

TEST_P(DatagramSocketTest, HoldsDatagramsForAReceiverWhoIsLate) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    Named sender = Make();
    const auto send = [&](int n) {
      return sender.socket.SendTo(Bytes(std::string_view(&"abcdefgh"[n], 1)),
                                  receiver.address);
    };
    EXPECT_EQ(co_await send(0), absl::OkStatus());
    EXPECT_EQ(TextOf(co_await receiver.socket.ReceiveLent()), "a");
    for (int n = 1; n < 6; ++n) EXPECT_EQ(co_await send(n), absl::OkStatus());
    co_await TurnTimes(10);
    std::string all;
    for (int n = 1; n < 6; ++n)
      all += TextOf(co_await receiver.socket.ReceiveLent());
    EXPECT_EQ(all, "bcdef");
  });
}

Task<absl::StatusOr<std::string>> ReceiveLentText(DatagramSocket& socket) {
  absl::StatusOr<LentDatagram> got = co_await socket.ReceiveLent();
  if (!got.ok()) co_return got.status();
  co_return AsString(got->bytes.bytes());
}

TEST_P(DatagramSocketTest, ACancelledLentReceiveLosesNoDatagram) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    Named sender = Make();
    JoinHandle<absl::StatusOr<std::string>> receiving =
        Spawn(ReceiveLentText(receiver.socket));
    co_await TurnTimes(5);
    EXPECT_EQ(co_await sender.socket.SendTo(Bytes("kept"), receiver.address),
              absl::OkStatus());
    receiving.Cancel();
    const absl::StatusOr<std::string> cancelled = co_await receiving;
    if (!cancelled.ok()) {
      EXPECT_TRUE(absl::IsCancelled(cancelled.status()));
      EXPECT_EQ(TextOf(co_await receiver.socket.ReceiveLent()), "kept");
    } else {
      EXPECT_EQ(*cancelled, "kept");
    }
  });
}

TEST_P(DatagramSocketTest, ADeadlineEndsALentReceive) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    const absl::StatusOr<LentDatagram> got = co_await WithTimeout(
        absl::Milliseconds(5), receiver.socket.ReceiveLent());
    EXPECT_TRUE(absl::IsDeadlineExceeded(got.status())) << got.status();
  });
}

TEST_P(DatagramSocketTest, ClosingEndsALentReceive) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    JoinHandle<absl::StatusOr<std::string>> receiving =
        Spawn(ReceiveLentText(receiver.socket));
    co_await TurnTimes(5);
    receiver.socket.Close();
    EXPECT_TRUE(absl::IsCancelled((co_await receiving).status()));
    EXPECT_TRUE(absl::IsFailedPrecondition(
        (co_await receiver.socket.ReceiveLent()).status()));
  });
}

TEST_P(DatagramSocketTest, CloseWithHeldDatagramsGivesTheirBuffersBack) {
  OnEachKind([&]() -> Task<void> {
    const uint64_t lent_before = loop().stats().buffers_lent;
    Named receiver = Make();
    Named sender = Make();
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(co_await sender.socket.SendTo(Bytes("x"), receiver.address),
                absl::OkStatus());
    }
    LentDatagram kept = ValueOf(co_await receiver.socket.ReceiveLent());
    co_await TurnTimes(5);
    receiver.socket.Close();
    co_await TurnTimes(5);
    // It outlives its socket.
    EXPECT_EQ(AsString(kept.bytes.bytes()), "x");
    kept.bytes.Release();
    EXPECT_EQ(loop().stats().buffers_lent, lent_before);
  });
}

TEST_P(DatagramSocketTest, OwnBuffersAreRefusedOnceDatagramsAreLent) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    EXPECT_EQ(co_await receiver.socket.SendTo(Bytes("x"), receiver.address),
              absl::OkStatus());
    EXPECT_EQ(TextOf(co_await receiver.socket.ReceiveLent()), "x");
    std::array<std::byte, 10> buffer;
    EXPECT_TRUE(absl::IsFailedPrecondition(
        (co_await receiver.socket.ReceiveFrom(buffer)).status()));
  });
}

TEST_P(DatagramSocketTest, AnUnreadSocketHoldsFewBuffers) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    Named sender = Make();
    EXPECT_EQ(co_await sender.socket.SendTo(Bytes("x"), receiver.address),
              absl::OkStatus());
    EXPECT_EQ(TextOf(co_await receiver.socket.ReceiveLent()), "x");
    const auto flood = [&]() -> Task<void> {
      for (int i = 0; i < 200; ++i) {
        static_cast<void>(
            co_await sender.socket.SendTo(Bytes("y"), receiver.address));
      }
    };
    const uint64_t deliveries_before = loop().stats().backend.deliveries;
    // A Unix receiver without room makes the sender wait.
    JoinHandle<void> flooding = Spawn(flood());
    co_await TurnTimes(100);
    // What had been produced when the receive was paused still comes.
    EXPECT_LE(loop().stats().backend.deliveries - deliveries_before, 40u);
    absl::StatusOr<LentDatagram> got = co_await receiver.socket.ReceiveLent();
    while (got.ok()) {
      EXPECT_EQ(TextOf(got), "y");
      got = co_await WithTimeout(absl::Milliseconds(20),
                                 receiver.socket.ReceiveLent());
    }
    EXPECT_TRUE(absl::IsDeadlineExceeded(got.status())) << got.status();
    EXPECT_EQ(co_await flooding, absl::OkStatus());
  });
}

// The pause takes a turn or two; a task that asks meanwhile must not be left to
// wait for a receive that has stopped.
TEST_P(DatagramSocketTest, ATaskThatComesWithinAPauseIsServed) {
  OnEachKind([&]() -> Task<void> {
    for (int turns = 0; turns < 7; ++turns) {
      Named receiver = Make();
      Named sender = Make();
      EXPECT_EQ(co_await sender.socket.SendTo(Bytes("x"), receiver.address),
                absl::OkStatus());
      EXPECT_EQ(TextOf(co_await receiver.socket.ReceiveLent()), "x");
      const uint64_t before = loop().stats().backend.deliveries;
      for (int i = 0; i < 16; ++i) {
        EXPECT_EQ(co_await sender.socket.SendTo(Bytes("y"), receiver.address),
                  absl::OkStatus());
      }
      while (loop().stats().backend.deliveries - before < 16)
        co_await TurnTimes(1);
      co_await TurnTimes(turns);
      // It runs behind what this turn has yet to run: the pause may begin
      // first.
      const auto receive_all = [&]() -> Task<std::string> {
        std::string all;
        while (all.size() < 17) {
          all += TextOf(co_await WithTimeout(absl::Seconds(10),
                                             receiver.socket.ReceiveLent()));
        }
        co_return all;
      };
      JoinHandle<std::string> receiving = Spawn(receive_all());
      co_await TurnTimes(10);
      EXPECT_EQ(co_await sender.socket.SendTo(Bytes("z"), receiver.address),
                absl::OkStatus());
      EXPECT_EQ(ValueOf(co_await receiving), std::string(16, 'y') + "z")
          << turns << " turns";
    }
  });
}

TEST_P(DatagramSocketTest, EndsWithItsExecutorInTheMiddle) {
  OnEachKind([&]() -> Task<void> {
    const auto forever = [](Named receiver, Named sender) -> Task<void> {
      const std::vector<std::byte> bytes(1'000);
      std::vector<OutgoingDatagram> batch(5'000);
      for (OutgoingDatagram& datagram : batch) {
        datagram.bytes = bytes;
        datagram.receiver = receiver.address;
      }
      static_cast<void>(co_await sender.socket.SendBatch(batch));
      while ((co_await receiver.socket.ReceiveLent()).ok()) {
      }
    };
    Spawn(forever(Make(), Make())).Detach();
    co_await TurnTimes(20);
  });
  DestroyExecutor();
}

TEST_P(DatagramSocketTest, AllocatesNothingPerDatagram) {
  RINGWAY_REQUIRES_KERNEL("memory for datagrams");
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    Named sender = Make();
    std::vector<OutgoingDatagram> batch(3);
    for (OutgoingDatagram& datagram : batch) {
      datagram.bytes = Bytes("datagram");
      datagram.receiver = receiver.address;
    }
    uint64_t before = 0;
    for (int i = 0; i < 500; ++i) {
      if (i == 100) before = CountAllocations();
      EXPECT_EQ(ValueOf(co_await sender.socket.SendBatch(batch)), 3u);
      for (int n = 0; n < 3; ++n) {
        const absl::StatusOr<LentDatagram> got =
            co_await receiver.socket.ReceiveLent();
        EXPECT_EQ(got->bytes.size(), 8u);
      }
    }
    EXPECT_EQ(CountAllocations() - before, 0u);
  });
}

}  // namespace
}  // namespace ringway::net
