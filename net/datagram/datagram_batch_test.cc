// SPDX-License-Identifier: Apache-2.0
//
// Batches of datagrams.

#include "ringway/net/datagram/datagram_batch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/testing/datagram_test.h"

namespace ringway::net {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::Named;
using testing::TextOf;
using testing::TurnTimes;
using testing::ValueOf;

using DatagramBatchTest = testing::DatagramTest;
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(DatagramBatchTest);

TEST_P(DatagramBatchTest, SendsABatchOfAnySize) {
  OnEachKind([&]() -> Task<void> {
    constexpr size_t kBoth = SendBatchOp::kAtOnce + SendBatchOp::kWindow;
    for (const size_t n :
         {size_t{0}, size_t{1}, SendBatchOp::kWindow, SendBatchOp::kWindow + 1,
          SendBatchOp::kAtOnce, SendBatchOp::kAtOnce + 1, kBoth, kBoth + 1}) {
      Named receiver = Make();
      Named sender = Make();
      std::vector<std::string> texts;
      for (size_t i = 0; i < n; ++i) texts.push_back(absl::StrCat("d", i));
      std::vector<OutgoingDatagram> batch;
      for (const std::string& text : texts)
        batch.emplace_back(Bytes(text), receiver.address);
      const auto send = [&]() -> Task<absl::StatusOr<size_t>> {
        co_return co_await sender.socket.SendBatch(batch);
      };
      JoinHandle<absl::StatusOr<size_t>> sending = Spawn(send());
      std::multiset<std::string> got;
      while (got.size() < n)
        got.insert(TextOf(co_await receiver.socket.ReceiveLent()));
      EXPECT_EQ(ValueOf(co_await sending), n);
      EXPECT_EQ(got, std::multiset<std::string>(texts.begin(), texts.end()));
      for (const OutgoingDatagram& datagram : batch)
        EXPECT_EQ(datagram.error, 0);
    }
  });
}

TEST_P(DatagramBatchTest, ABatchSaysWhichDatagramsFailed) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    Named sender = Make();
    // More than any socket here sends.
    const std::vector<std::byte> too_large(10'000'000);
    std::vector<OutgoingDatagram> batch;
    batch.emplace_back(Bytes("one"), receiver.address);
    batch.emplace_back(too_large, receiver.address);
    batch.emplace_back(Bytes("three"), receiver.address);
    EXPECT_EQ(ValueOf(co_await sender.socket.SendBatch(batch)), 2u);
    EXPECT_EQ(batch[0].error, 0);
    EXPECT_EQ(batch[1].error, EMSGSIZE);
    EXPECT_EQ(batch[2].error, 0);
    EXPECT_EQ(TextOf(co_await receiver.socket.ReceiveLent()), "one");
    EXPECT_EQ(TextOf(co_await receiver.socket.ReceiveLent()), "three");
  });
}

TEST_P(DatagramBatchTest, AConnectedSocketSendsABatchToItsPeer) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    Named sender = Make();
    EXPECT_EQ(sender.socket.Connect(receiver.address), absl::OkStatus());
    std::vector<OutgoingDatagram> batch(2);
    batch[0].bytes = Bytes("a");
    batch[1].bytes = Bytes("b");
    EXPECT_EQ(ValueOf(co_await sender.socket.SendBatch(batch)), 2u);
    EXPECT_EQ(TextOf(co_await receiver.socket.ReceiveLent()), "a");
    EXPECT_EQ(TextOf(co_await receiver.socket.ReceiveLent()), "b");
  });
}

// What has room needs no turn of the loop.
TEST_P(DatagramBatchTest, WhatThereIsRoomForIsSentWithoutOperations) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    Named sender = Make();
    std::vector<OutgoingDatagram> batch(
        8, OutgoingDatagram(Bytes("x"), receiver.address));
    const LoopStats before = loop().stats();
    EXPECT_EQ(ValueOf(co_await sender.socket.SendBatch(batch)), batch.size());
    const LoopStats after = loop().stats();
    if (system().is_kernel()) {
      EXPECT_EQ(after.turns, before.turns);
      EXPECT_EQ(after.backend.submitted, before.backend.submitted);
    }
    for (size_t i = 0; i < batch.size(); ++i)
      EXPECT_EQ(TextOf(co_await receiver.socket.ReceiveLent()), "x");
  });
}

// What the network has reported fails the next datagram, once, as of SendTo().
TEST_P(DatagramBatchTest, AReportOfTheNetworkFailsOneDatagram) {
  OnEachKind([&]() -> Task<void> {
    if (!loses() || !system().is_kernel()) co_return;
    Named sender = Make();
    Named gone = Make();
    EXPECT_EQ(sender.socket.Connect(gone.address), absl::OkStatus());
    gone.socket.Close();
    co_await TurnTimes(3);
    std::vector<OutgoingDatagram> batch(2);
    for (OutgoingDatagram& datagram : batch) datagram.bytes = Bytes("x");
    EXPECT_EQ(
        ValueOf(co_await sender.socket.SendBatch(std::span(batch).first(1))),
        1u);
    EXPECT_EQ(ValueOf(co_await sender.socket.SendBatch(batch)), 1u);
    EXPECT_EQ(batch[0].error, ECONNREFUSED);
    EXPECT_EQ(batch[1].error, 0);
  });
}

// A batch was sent at once, before what its task had begun to send earlier.
TEST_P(DatagramBatchTest, ABatchStaysBehindEarlierSends) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    Named sender = Make();
    const auto send = [&]() -> Task<absl::Status> {
      co_return co_await sender.socket.SendTo(Bytes("1"), receiver.address);
    };
    const auto send_batch = [&]() -> Task<absl::StatusOr<size_t>> {
      std::vector<OutgoingDatagram> batch;
      batch.emplace_back(Bytes("2"), receiver.address);
      batch.emplace_back(Bytes("3"), receiver.address);
      co_return co_await sender.socket.SendBatch(batch);
    };
    JoinHandle<absl::Status> first = Spawn(send());
    JoinHandle<absl::StatusOr<size_t>> then = Spawn(send_batch());
    EXPECT_EQ(co_await first, absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await then), 2u);
    for (const char* text : {"1", "2", "3"})
      EXPECT_EQ(TextOf(co_await receiver.socket.ReceiveLent()), text);
  });
}

// A Unix receiver that never reads: the batch waits, and is cancelled.
TEST_P(DatagramBatchTest, ACancelledBatchSaysWhatWasSent) {
  OnEachKind([&]() -> Task<void> {
    if (loses()) co_return;
    Named receiver = Make();
    Named sender = Make();
    const std::vector<std::byte> bytes(1'000);
    std::vector<OutgoingDatagram> batch(
        5'000, OutgoingDatagram(bytes, receiver.address));
    const absl::StatusOr<size_t> sent = co_await WithTimeout(
        absl::Milliseconds(20), sender.socket.SendBatch(batch));
    EXPECT_TRUE(absl::IsDeadlineExceeded(sent.status())) << sent.status();
    size_t n_sent = 0;
    for (const OutgoingDatagram& datagram : batch) {
      if (datagram.error == 0) ++n_sent;
      if (datagram.error != 0) {
        EXPECT_EQ(datagram.error, ECANCELED);
      }
    }
    EXPECT_GT(n_sent, 0u);
    EXPECT_LT(n_sent, batch.size());
    // Exactly those arrive.
    for (size_t i = 0; i < n_sent; ++i) {
      EXPECT_EQ((co_await receiver.socket.ReceiveLent())->bytes.size(),
                bytes.size());
    }
    EXPECT_TRUE(absl::IsDeadlineExceeded(
        (co_await WithTimeout(absl::Milliseconds(20),
                              receiver.socket.ReceiveLent()))
            .status()));
  });
}

TEST_P(DatagramBatchTest, ClosingEndsABatch) {
  OnEachKind([&]() -> Task<void> {
    if (loses()) co_return;
    Named receiver = Make();
    Named sender = Make();
    const std::vector<std::byte> bytes(1'000);
    std::vector<OutgoingDatagram> batch(
        5'000, OutgoingDatagram(bytes, receiver.address));
    const auto send = [&]() -> Task<absl::StatusOr<size_t>> {
      co_return co_await sender.socket.SendBatch(batch);
    };
    JoinHandle<absl::StatusOr<size_t>> sending = Spawn(send());
    co_await TurnTimes(20);
    sender.socket.Close();
    EXPECT_TRUE(absl::IsCancelled((co_await sending).status()));
    EXPECT_TRUE(absl::IsFailedPrecondition(
        (co_await sender.socket.SendBatch(batch)).status()));
  });
}

// Neither what was cancelled nor what was closed goes on sending.
TEST_P(DatagramBatchTest, ABatchThatEndsEarlySendsNoMore) {
  OnEachKind([&]() -> Task<void> {
    for (const bool close : {false, true}) {
      Named receiver = Make();
      Named sender = Make();
      std::vector<OutgoingDatagram> batch(
          5'000, OutgoingDatagram(Bytes("x"), receiver.address));
      const auto send = [&]() -> Task<absl::StatusOr<size_t>> {
        co_return co_await sender.socket.SendBatch(batch);
      };
      JoinHandle<absl::StatusOr<size_t>> sending = Spawn(send());
      co_await TurnTimes(5);
      if (close) {
        sender.socket.Close();
      } else {
        sending.Cancel();
      }
      EXPECT_TRUE(absl::IsCancelled((co_await sending).status()));
      EXPECT_LT(std::ranges::count(batch, 0, &OutgoingDatagram::error), 1'000);
      EXPECT_GT(std::ranges::count(batch, ECANCELED, &OutgoingDatagram::error),
                4'000);
    }
  });
}

// --- Receiving

TEST_P(DatagramBatchTest, ReceivesWhatHasArrivedTogether) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    Named sender = Make();
    std::array<LentDatagram, 4> out;
    EXPECT_EQ(co_await sender.socket.SendTo(Bytes("-"), receiver.address),
              absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await receiver.socket.ReceiveBatch(out)), 1u);
    for (const std::string_view text : {"a", "b", "c", "d", "e", "f"}) {
      EXPECT_EQ(co_await sender.socket.SendTo(Bytes(text), receiver.address),
                absl::OkStatus());
    }
    co_await TurnTimes(10);
    std::string all;
    size_t largest = 0;
    while (all.size() < 6) {
      const size_t n = ValueOf(co_await receiver.socket.ReceiveBatch(out));
      EXPECT_GE(n, 1u);
      EXPECT_LE(n, out.size());
      largest = std::max(largest, n);
      for (size_t i = 0; i < n; ++i) {
        all += AsString(out[i].bytes.bytes());
        EXPECT_EQ(out[i].sender, sender.address);
      }
    }
    EXPECT_EQ(all, "abcdef");
    EXPECT_GT(largest, 1u);
  });
}

// A server that waits for the next requests had the buffers of the last ones.
TEST_P(DatagramBatchTest, WaitingForABatchHoldsNoBuffer) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    Named sender = Make();
    const uint64_t lent_before = loop().stats().buffers_lent;
    std::array<LentDatagram, 4> out;
    EXPECT_EQ(co_await sender.socket.SendTo(Bytes("x"), receiver.address),
              absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await receiver.socket.ReceiveBatch(out)), 1u);
    EXPECT_EQ(loop().stats().buffers_lent, lent_before + 1);
    const auto wait = [&]() -> Task<absl::Status> {
      co_return (co_await receiver.socket.ReceiveBatch(out)).status();
    };
    JoinHandle<absl::Status> waiting = Spawn(wait());
    co_await TurnTimes(5);
    EXPECT_EQ(loop().stats().buffers_lent, lent_before);
    waiting.Cancel();
    EXPECT_TRUE(absl::IsCancelled(co_await waiting));
  });
}

TEST_P(DatagramBatchTest, ABatchOfNoneDoesNotWait) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    EXPECT_EQ(ValueOf(co_await receiver.socket.ReceiveBatch({})), 0u);
    std::array<LentDatagram, 2> out;
    receiver.socket.Close();
    EXPECT_TRUE(absl::IsFailedPrecondition(
        (co_await receiver.socket.ReceiveBatch(out)).status()));
  });
}

TEST_P(DatagramBatchTest, ADeadlineEndsAReceiveAndLosesNothing) {
  OnEachKind([&]() -> Task<void> {
    Named receiver = Make();
    Named sender = Make();
    std::array<LentDatagram, 2> out;
    EXPECT_TRUE(absl::IsDeadlineExceeded(
        (co_await WithTimeout(absl::Milliseconds(2),
                              receiver.socket.ReceiveBatch(out)))
            .status()));
    EXPECT_EQ(co_await sender.socket.SendTo(Bytes("kept"), receiver.address),
              absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await receiver.socket.ReceiveBatch(out)), 1u);
    EXPECT_EQ(AsString(out[0].bytes.bytes()), "kept");
  });
}

}  // namespace
}  // namespace ringway::net
