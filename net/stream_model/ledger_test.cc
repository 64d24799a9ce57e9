// SPDX-License-Identifier: Apache-2.0
//
// The checks of the stream model: every kind of fault is detected, and
// allowed behaviour is not reported.

#include "ringway/net/stream_model/ledger.h"

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/stream_model/content.h"

namespace ringway::net::model {
namespace {

constexpr uint64_t kKey = 7;
constexpr uint64_t kOtherKey = 8;

class LedgerTest : public ::testing::Test {
 protected:
  explicit LedgerTest(EndRules rules = {})
      : there_(ledger_, "there", kKey, rules),
        back_(ledger_, "back", kOtherKey, rules) {}

  // `n_bytes` are sent, and the kernel has accepted them.
  void Send(size_t n_bytes) {
    there_.WillSend(n_bytes);
    there_.Sent();
  }
  // The next `n_bytes` as they should arrive.
  std::vector<std::byte> Next(size_t n_bytes) const {
    std::vector<std::byte> bytes(n_bytes);
    Fill(bytes, kKey, there_.received());
    return bytes;
  }
  void ReceiveNext(size_t n_bytes) { there_.Received(Next(n_bytes)); }

  // The one failure there is, or none.
  std::string Failure() const {
    const std::vector<std::string> all = ledger_.failures.Taken();
    EXPECT_LE(all.size(), 1u);
    return all.empty() ? "" : all.front();
  }
  bool FailedWith(std::string_view text) const {
    return absl::StrContains(Failure(), text);
  }

  Ledger ledger_;
  Direction there_;
  Direction back_;
};

class UnixLedgerTest : public LedgerTest {
 protected:
  UnixLedgerTest() : LedgerTest({.shows_resets = false}) {}
};

class TlsLedgerTest : public LedgerTest {
 protected:
  TlsLedgerTest() : LedgerTest({.shows_cuts = true}) {}
};

TEST_F(LedgerTest, AWholeDirectionIsFaultless) {
  Send(10);
  ReceiveNext(4);
  ReceiveNext(6);
  there_.WillEnd(kShutdown);
  there_.ReachedEnd();

  there_.CheckOutcome(back_);

  EXPECT_EQ(Failure(), "");
}

TEST_F(LedgerTest, ALostByteIsSeenWhereTheNextOneArrives) {
  Send(10);
  std::vector<std::byte> bytes = Next(5);
  bytes.erase(bytes.begin() + 2);

  there_.Received(bytes);

  EXPECT_TRUE(FailedWith("byte 2 (2 of 4) is")) << Failure();
}

TEST_F(LedgerTest, BytesThatWereNotSentAreSeen) {
  Send(3);
  ReceiveNext(4);
  EXPECT_TRUE(FailedWith("more than were sent")) << Failure();
}

TEST_F(LedgerTest, ABufferThatIsWrittenToWhileItIsHeldIsSeen) {
  std::vector<std::byte> bytes = Next(8);
  there_.CheckStill(bytes, 0);
  EXPECT_EQ(Failure(), "");
  bytes[7] ^= std::byte{1};
  there_.CheckStill(bytes, 0);
  EXPECT_TRUE(FailedWith("byte 7 (7 of 8)")) << Failure();
}

TEST_F(LedgerTest, AnEndThatNobodyMadeIsSeen) {
  Send(1);
  ReceiveNext(1);
  there_.ReachedEnd();
  EXPECT_TRUE(FailedWith("that its sender has not made")) << Failure();
}

TEST_F(LedgerTest, AnEndBeforeTheLastByteIsSeen) {
  Send(2);
  ReceiveNext(1);
  there_.WillEnd(kShutdown);
  there_.ReachedEnd();
  EXPECT_TRUE(FailedWith("before its last byte")) << Failure();
}

TEST_F(LedgerTest, AWriteThatWasCutOffMayEndAnywhereInIt) {
  Send(2);
  there_.WillSend(5);
  there_.Interrupt();
  ReceiveNext(4);
  there_.WillEnd(kShutdown);
  there_.ReachedEnd();
  there_.CheckOutcome(back_);
  EXPECT_EQ(Failure(), "");
}

TEST_F(LedgerTest, AResetThatIsAnEndIsSeen) {
  Send(2);
  ReceiveNext(2);
  there_.WillEnd(kReset);
  there_.ReachedEnd();
  there_.CheckOutcome(back_);
  EXPECT_TRUE(FailedWith("reported to nobody")) << Failure();
}

TEST_F(LedgerTest, AResetThatAWriteWasToldOfMayBeAnEnd) {
  there_.WillEnd(kReset);
  back_.WillLeave();
  back_.SendFailed(ErrnoToStatus(ECONNRESET, "write"));
  there_.ReachedEnd();
  there_.CheckOutcome(back_);
  EXPECT_EQ(Failure(), "");
}

TEST_F(LedgerTest, AResetThatOnlyAShutdownMetIsStillToBeReported) {
  there_.WillEnd(kReset);
  back_.WillLeave();
  back_.SendFailed(ErrnoToStatus(ENOTCONN, "shutdown"));
  there_.ReachedEnd();
  there_.CheckOutcome(back_);
  EXPECT_TRUE(FailedWith("reported to nobody")) << Failure();
}

TEST_F(LedgerTest, AResetByAPeerThatIsThereIsSeen) {
  there_.WillEnd(kShutdown);
  there_.ReceiveFailed(ErrnoToStatus(ECONNRESET, "read"));
  EXPECT_TRUE(FailedWith("beside a peer that is there")) << Failure();
}

TEST_F(LedgerTest, AWriteThatFailsBesideAPeerThatIsThereIsSeen) {
  there_.SendFailed(ErrnoToStatus(EPIPE, "write"));
  EXPECT_TRUE(FailedWith("beside a peer that is there")) << Failure();
}

TEST_F(LedgerTest, AReceiverThatHasSeenNoEndIsSeen) {
  there_.CheckOutcome(back_);
  EXPECT_TRUE(FailedWith("neither an end nor an error")) << Failure();
}

TEST_F(LedgerTest, OnlyBytesAreJudgedOnceWorkersEndUnderTheirTasks) {
  ledger_.cut_short = true;
  Send(2);
  there_.ReachedEnd();
  there_.SendFailed(ErrnoToStatus(EPIPE, "write"));
  there_.CheckOutcome(back_);
  EXPECT_EQ(Failure(), "");
  ReceiveNext(2);
  there_.Received(Next(1));
  EXPECT_TRUE(FailedWith("more than were sent")) << Failure();
}

TEST_F(UnixLedgerTest, AResetIsAnEnd) {
  Send(2);
  ReceiveNext(2);
  there_.WillEnd(kReset);
  there_.ReachedEnd();
  there_.CheckOutcome(back_);
  EXPECT_EQ(Failure(), "");
}

TEST_F(UnixLedgerTest, WhatWasAcceptedArrivesAlsoBeforeAReset) {
  Send(2);
  ReceiveNext(1);
  there_.WillEnd(kClosed);
  there_.ReceiveFailed(ErrnoToStatus(ECONNRESET, "read"));
  EXPECT_TRUE(FailedWith("a reset before the last byte")) << Failure();
}

// --- TLS

TEST_F(TlsLedgerTest, ACutBehindAPeerThatHasLeftIsFaultless) {
  Send(10);
  there_.WillEnd(kClosed);
  ReceiveNext(4);
  there_.ReceiveFailed(absl::DataLossError("cut"));
  there_.CheckOutcome(back_);
  EXPECT_EQ(Failure(), "");
}

TEST_F(TlsLedgerTest, ACutBesideAPeerThatIsThereFails) {
  there_.ReceiveFailed(absl::DataLossError("cut"));
  EXPECT_TRUE(FailedWith("beside a peer that is there"));
}

TEST_F(TlsLedgerTest, ACutIsNoEnd) {
  Send(10);
  there_.WillEnd(kClosed);
  ReceiveNext(4);
  back_.Interrupt();  // may have heard of a reset, which excuses TCP alone
  there_.ReachedEnd();
  EXPECT_TRUE(FailedWith("before its last byte"));
}

TEST_F(TlsLedgerTest, AWriteMayHearOfTheCut) {
  there_.WillLeave();
  back_.WillEnd(kClosed);
  there_.WillSend(10);
  there_.SendFailed(absl::DataLossError("cut"));
  EXPECT_EQ(Failure(), "");
}

TEST(Content, AnyPartOfADirectionIsTheSameWhereverItBegins) {
  std::vector<std::byte> whole(100);
  Fill(whole, kKey, 0);
  for (size_t from = 0; from < 20; ++from) {
    std::vector<std::byte> part(50);
    Fill(part, kKey, from);
    EXPECT_EQ(part,
              std::vector(whole.begin() + from, whole.begin() + from + 50));
    EXPECT_FALSE(FirstDifference(part, kKey, from).has_value());
    part[from] ^= std::byte{0x80};
    EXPECT_EQ(FirstDifference(part, kKey, from), from);
  }
}

}  // namespace
}  // namespace ringway::net::model
