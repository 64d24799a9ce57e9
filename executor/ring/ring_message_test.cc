// SPDX-License-Identifier: Apache-2.0
//
// Messages between rings of one thread, in every world.

#include <atomic>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/ring/ring.h"
#include "ringway/executor/ring/ring_fixture.h"
#include "ringway/executor/ring/ring_message_fixture.h"

namespace ringway {
namespace {

using testing::Counted;
using testing::Counting;
using testing::Log;
using testing::MessageReceiver;
using testing::Once;
using testing::TestFdPair;

class RingMessageTest : public testing::RingConformance {
 protected:
  void SetUp() override {
    RingConformance::SetUp();
    if (!IsSkipped()) target_.emplace(NewLoop());
  }
  void TearDown() override {
    target_.reset();
    RingConformance::TearDown();
  }

  Ring& target() { return *target_; }
  void EndTarget() { target_.reset(); }

  // A few turns of both, so that what goes there has come back.
  void TurnBoth() {
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(target().Run(RunMode::kNoWait), absl::OkStatus());
      RunWithoutWaiting();
    }
  }

 private:
  std::optional<Ring> target_;
};

TEST_P(RingMessageTest, NumbersFdsPointersAndBytesArriveAsTheyWereSent) {
  TestFdPair pair = system().SocketPair();
  std::atomic<int> live{0};
  MessageReceiver receiver;
  target().OnMessage(receiver.context());
  const int fd = pair.first.get();
  Log log;
  ring().Message(target().address(), uint64_t{42}, log.At(0));
  ring().Message(target().address(), UniqueFd(pair.first.Release()), log.At(1));
  ring().Message(target().address(), Counting(live), log.At(2));
  ring().Message(target().address(), std::string(100'000, 'b'), log.At(3));
  TurnBoth();
  for (uint16_t i = 0; i < 4; ++i) EXPECT_EQ(log.Finals(i), Once(0)) << i;
  ASSERT_EQ(receiver.payloads.size(), 4u);
  EXPECT_EQ(std::get<uint64_t>(receiver.payloads[0]), 42u);
  EXPECT_EQ(std::get<UniqueFd>(receiver.payloads[1]).get(), fd);
  pair.first = system().Own(std::get<UniqueFd>(receiver.payloads[1]).Release());
  EXPECT_EQ(live, 1);
  auto pointer = std::get<OwnedPointer>(receiver.payloads[2]).Take<Counted>();
  EXPECT_EQ(&pointer->live, &live);
  pointer.reset();
  EXPECT_EQ(live, 0);
  EXPECT_EQ(std::get<std::string>(receiver.payloads[3]),
            std::string(100'000, 'b'));
}

TEST_P(RingMessageTest, WhatTheHandlerDoesNotTakeIsDisposedOf) {
  Log ignorant, log;
  target().OnMessage(ignorant.At(0));
  std::atomic<int> live{0};
  ring().Message(target().address(), Counting(live), log.At(0));
  TurnBoth();
  EXPECT_EQ(ignorant.entries().size(), 1u);
  EXPECT_EQ(live, 0);
}

TEST_P(RingMessageTest, ArriveInTheOrderOfTheirSending) {
  MessageReceiver receiver;
  target().OnMessage(receiver.context());
  Log log;
  for (uint64_t i = 0; i < 1'000; ++i) {
    ring().Message(target().address(), i, log.At(0));
  }
  while (log.Finals(0).size() < 1'000) TurnBoth();
  ASSERT_EQ(receiver.payloads.size(), 1'000u);
  for (uint64_t i = 0; i < 1'000; ++i) {
    ASSERT_EQ(std::get<uint64_t>(receiver.payloads[i]), i);
  }
}

TEST_P(RingMessageTest, ToTheRingItselfArrive) {
  MessageReceiver receiver;
  ring().OnMessage(receiver.context());
  Log log;
  ring().Message(ring().address(), uint64_t{1}, log.At(0));
  RunUntilDone();
  EXPECT_EQ(receiver.payloads.size(), 1u);
  EXPECT_EQ(log.Finals(0), Once(0));
}

// --- What does not arrive

// Takes back what has not arrived.
struct Sender {
  static void OnDone(Ring&, Sender& self, Completion done) {
    ++self.told;
    self.result = done.result;
    self.status = done.status();
    if (done.payload != nullptr) self.back = std::move(*done.payload);
  }
  Context context() { return Context(this, &OnDone); }
  bool HasItBack() const {
    return std::holds_alternative<OwnedPointer>(back) &&
           std::get<OwnedPointer>(back).get<Counted>() != nullptr;
  }
  int told = 0;
  int32_t result = 0;
  absl::Status status;
  MessagePayload back;
};

TEST_P(RingMessageTest, ToARingThatHasEndedComesBackAsAnError) {
  std::atomic<int> live{0};
  const RingAddress address = target().address();
  EndTarget();
  for (const RingAddress& gone : {address, RingAddress()}) {
    Sender sender;
    ring().Message(gone, Counting(live), sender.context());
    RunUntilDone();
    EXPECT_EQ(sender.told, 1);
    EXPECT_EQ(sender.result, -EHOSTDOWN);
    EXPECT_EQ(sender.status.code(), absl::StatusCode::kUnavailable);
    EXPECT_TRUE(sender.HasItBack());
    EXPECT_EQ(live, 1);
  }
  EXPECT_EQ(live, 0);
}

TEST_P(RingMessageTest, ThatWaitsAtARingThatEndsComesBackAsAnError) {
  std::atomic<int> live{0};
  MessageReceiver receiver;
  Sender sender;
  target().OnMessage(receiver.context());
  ring().Message(target().address(), Counting(live), sender.context());
  EndTarget();
  RunUntilDone();
  EXPECT_EQ(sender.told, 1);
  EXPECT_EQ(sender.result, -EHOSTDOWN);
  EXPECT_TRUE(sender.HasItBack());
  EXPECT_TRUE(receiver.payloads.empty());
}

// A loop hands over all that has arrived before the first of it has its turn,
// and a turn may be over before the last has had it. What waits then is in no
// inbox any more: an inbox refuses what is in it by itself.
TEST_P(RingMessageTest, ThatHasArrivedAtARingThatEndsComesBackAsAnError) {
  LoopOptions one_a_turn;
  one_a_turn.ready_budget = 1;
  std::optional<Ring> target(std::in_place,
                             std::make_unique<Loop>(MakeForTest(), one_a_turn));
  std::atomic<int> live{0};
  MessageReceiver receiver;
  target->OnMessage(receiver.context());
  std::vector<Sender> senders(4);
  for (Sender& sender : senders) {
    ring().Message(target->address(), Counting(live), sender.context());
  }
  EXPECT_EQ(target->Run(RunMode::kOnce), absl::OkStatus());
  ASSERT_EQ(receiver.payloads.size(), 1u);

  target.reset();
  for (int i = 0; i < 8; ++i) RunWithoutWaiting();

  EXPECT_EQ(senders[0].result, 0);
  for (size_t i = 1; i < senders.size(); ++i) {
    EXPECT_EQ(senders[i].told, 1);
    EXPECT_EQ(senders[i].result, -EHOSTDOWN);
    EXPECT_TRUE(senders[i].HasItBack());
  }
  EXPECT_EQ(receiver.payloads.size(), 1u);
}

// The loop outlives the ring's last callbacks and would take what comes
// meanwhile, to drop it with itself: a sender would be told that it was sent.
TEST_P(RingMessageTest, SentWhileTheRingEndsIsRefusedAndStaysTheSenders) {
  std::atomic<int> live{0};
  MessagePayload payload = Counting(live);
  absl::Status sent, posted;
  Log log;
  log.then = [&](Ring& ring, uint16_t, Completion&) {
    sent = ring.address().Send(std::move(payload));
    posted = ring.address().Post([](Ring&) { FAIL(); });
  };
  target().Timer(absl::Hours(1), log.At(0));

  EndTarget();

  EXPECT_EQ(log.Finals(0), Once(-ECANCELED));
  EXPECT_EQ(sent.code(), absl::StatusCode::kUnavailable) << sent;
  EXPECT_EQ(posted.code(), absl::StatusCode::kUnavailable) << posted;
  ASSERT_TRUE(std::holds_alternative<OwnedPointer>(payload));
  EXPECT_EQ(live, 1);
}

TEST_P(RingMessageTest, ToARingWithoutAHandlerComesBackAsAnError) {
  std::atomic<int> live{0};
  Sender sender;
  ring().Message(target().address(), Counting(live), sender.context());
  TurnBoth();
  EXPECT_EQ(sender.told, 1);
  EXPECT_EQ(sender.result, -ECONNREFUSED);
  EXPECT_EQ(sender.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(sender.HasItBack());
}

TEST_P(RingMessageTest, CancelledBeforeItArrivesComesBack) {
  std::atomic<int> live{0};
  MessageReceiver receiver;
  Sender sender;
  target().OnMessage(receiver.context());
  const RingTask task =
      ring().Message(target().address(), Counting(live), sender.context());
  EXPECT_EQ(ring().Cancel(task), CancelOutcome::kNotStarted);
  EXPECT_EQ(ring().Cancel(task), CancelOutcome::kNotFound);
  RunUntilDone();
  EXPECT_EQ(sender.told, 1);
  EXPECT_EQ(sender.result, -ECANCELED);
  EXPECT_TRUE(sender.HasItBack());
  TurnBoth();
  EXPECT_TRUE(receiver.payloads.empty());
}

TEST_P(RingMessageTest, CancelledAfterItHasArrivedHasArrived) {
  std::atomic<int> live{0};
  MessageReceiver receiver;
  Sender sender;
  target().OnMessage(receiver.context());
  const RingTask task =
      ring().Message(target().address(), Counting(live), sender.context());
  EXPECT_EQ(target().Run(RunMode::kNoWait), absl::OkStatus());
  EXPECT_EQ(ring().Cancel(task), CancelOutcome::kNotFound);
  RunUntilDone();
  EXPECT_EQ(sender.told, 1);
  EXPECT_EQ(sender.result, 0);
  EXPECT_EQ(receiver.payloads.size(), 1u);
}

TEST_P(RingMessageTest, HasADeadlineLikeEverythingElse) {
  std::atomic<int> live{0};
  Sender sender;
  const RingTask task =
      ring().Message(target().address(), Counting(live), sender.context());
  EXPECT_TRUE(ring().SetDeadline(task, ring().Now() + absl::Milliseconds(1)));
  RunUntilDone();
  EXPECT_EQ(sender.told, 1);
  EXPECT_EQ(sender.result, -ETIME);
  EXPECT_TRUE(sender.HasItBack());
}

// Nobody waits for the target, which does not turn.
TEST_P(RingMessageTest, OfARingThatEndsIsTakenBackOrHasArrived) {
  std::atomic<int> live{0};
  MessageReceiver receiver;
  Sender arrived, refused, untouched;
  ring().Message(target().address(), Counting(live), refused.context());
  EXPECT_EQ(target().Run(RunMode::kNoWait), absl::OkStatus());
  target().OnMessage(receiver.context());
  ring().Message(target().address(), Counting(live), arrived.context());
  EXPECT_EQ(target().Run(RunMode::kNoWait), absl::OkStatus());
  ring().Message(target().address(), Counting(live), untouched.context());

  EndRing();

  EXPECT_EQ(refused.result, -ECONNREFUSED);
  EXPECT_TRUE(refused.HasItBack());
  EXPECT_EQ(arrived.result, 0);
  EXPECT_EQ(untouched.result, -ECANCELED);
  EXPECT_TRUE(untouched.HasItBack());
  for (const Sender* sender : {&arrived, &refused, &untouched}) {
    EXPECT_EQ(sender->told, 1);
  }
  EXPECT_EQ(target().Run(RunMode::kNoWait), absl::OkStatus());
  EXPECT_EQ(receiver.payloads.size(), 1u);
  EXPECT_EQ(live, 3);
}

TEST_P(RingMessageTest, AnFdThatReachesNobodyIsClosed) {
  RINGWAY_REQUIRES_KERNEL("fds, which messages own");
  const size_t fds = system().OpenFds();
  const RingAddress address = target().address();
  TestFdPair one = system().SocketPair(), other = system().SocketPair();
  Log log;
  ring().Message(address, UniqueFd(one.first.Release()), log.At(0));
  ASSERT_EQ(address.Send(UniqueFd(one.second.Release())), absl::OkStatus());
  TurnBoth();  // there is no handler
  EXPECT_EQ(log.Finals(0), Once(-ECONNREFUSED));
  EXPECT_EQ(system().OpenFds(), fds + 2);
  EXPECT_EQ(address.Send(UniqueFd(other.first.Release())), absl::OkStatus());
  other.second.Reset();
  const size_t rings_and_fd = system().OpenFds();
  EndTarget();
  EXPECT_LT(system().OpenFds(), rings_and_fd - 1) << "its own, and the message";
}

TEST_P(RingMessageTest, OfAThreadWithoutARingArriveOrStayTheSenders) {
  std::atomic<int> live{0};
  MessageReceiver receiver;
  target().OnMessage(receiver.context());
  const RingAddress address = target().address();
  EXPECT_EQ(address.Send(Counting(live)), absl::OkStatus());
  EXPECT_EQ(address.Post([](Ring& ring) { ring.Stop(); }), absl::OkStatus());
  EXPECT_EQ(target().Run(RunMode::kForever), absl::OkStatus());
  EXPECT_EQ(target().Run(RunMode::kNoWait), absl::OkStatus());
  EXPECT_EQ(receiver.payloads.size(), 1u);
  EndTarget();
  MessagePayload payload = Counting(live);
  EXPECT_EQ(address.Send(std::move(payload)).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_TRUE(std::holds_alternative<OwnedPointer>(payload));
  EXPECT_EQ(live, 2);
  EXPECT_EQ(address.Post([](Ring&) {}).code(), absl::StatusCode::kUnavailable);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(RingMessageTest);

}  // namespace
}  // namespace ringway
