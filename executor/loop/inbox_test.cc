// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/inbox.h"

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/testing/loop_fixture.h"

namespace ringway {
namespace {

using InboxTest = testing::LoopTest;
using testing::kPast;

struct NumberedMessage : InboxMessage {
  NumberedMessage() : InboxMessage(&Received) {}
  static void Received(InboxMessage& message, bool accepted) {
    auto& self = static_cast<NumberedMessage&>(message);
    ++(accepted ? self.accepted : self.refused);
    if (self.log != nullptr) self.log->push_back(self.number);
    if (self.then) self.then();
  }
  std::vector<int>* log = nullptr;
  std::function<void()> then;
  int number = 0;
  int accepted = 0;
  int refused = 0;
};

TEST_F(InboxTest, MessagesOfFourThreadsAllArriveInTheOrderOfEach) {
  constexpr size_t kThreads = 4, kEach = 25'000;
  std::vector<std::vector<NumberedMessage>> messages(kThreads);
  std::vector<std::vector<int>> logs(kThreads);
  size_t threads_done = 0;
  for (size_t t = 0; t < kThreads; ++t) {
    messages[t] = std::vector<NumberedMessage>(kEach);
    messages[t].back().then = [&] {
      if (++threads_done == kThreads) Stop();
    };
    for (size_t i = 0; i < kEach; ++i) {
      messages[t][i].log = &logs[t];
      messages[t][i].number = static_cast<int>(i);
    }
  }
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t, inbox = loop_->inbox()] {
      for (NumberedMessage& message : messages[t]) {
        EXPECT_TRUE(inbox->Send(message));
      }
    });
  }

  TurnUntilStopped();

  for (std::thread& thread : threads) thread.join();
  for (const std::vector<int>& log : logs) {
    ASSERT_EQ(log.size(), kEach);
    for (size_t i = 0; i < kEach; ++i) {
      ASSERT_EQ(log[i], static_cast<int>(i));
    }
  }
  const LoopStats stats = loop_->stats();
  EXPECT_LE(stats.backend.notifications, stats.turns)
      << "a turn goes to sleep once at most";
}

TEST_F(InboxTest, SleepingLoopWakesForEveryMessage) {
  constexpr int kRounds = 5'000;
  std::atomic<int> received{0};
  std::thread other([&, inbox = loop_->inbox()] {
    for (int i = 0; i < kRounds; ++i) {
      const absl::Status posted = inbox->Post([&] {
        if (received.fetch_add(1) + 1 == kRounds) Stop();
        received.notify_one();
      });
      EXPECT_TRUE(posted.ok()) << posted;
      received.wait(i);  // so that the loop runs out of work and blocks
    }
  });

  TurnUntilStopped();

  other.join();
  const LoopStats stats = loop_->stats();
  EXPECT_LE(stats.backend.notifications, stats.turns);
}

TEST_F(InboxTest, NoDoorbellRingsWhileTheLoopIsAwake) {
  int runs = 0;
  loop_->Turn(kPast);
  std::thread([&, inbox = loop_->inbox()] {
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(inbox->Post([&] { ++runs; }).ok());
    }
  }).join();

  for (int i = 0; i < 3; ++i) loop_->Turn(kPast);

  EXPECT_EQ(runs, 100);
  EXPECT_EQ(loop_->stats().backend.notifications, 0u);
}

// After a sleep the loop withdraws its announcement. Otherwise nothing would
// be lost, but the first message of every batch would notify; a loop that has
// never slept cannot show this.
TEST_F(InboxTest, NoDoorbellRingsOnceTheLoopIsAwakeAgain) {
  int runs = 0;
  const uint64_t blocked = loop_->stats().backend.waits;
  while (loop_->stats().backend.waits == blocked) {
    loop_->Turn(loop_->backend().clock().Now() + absl::Milliseconds(1));
  }
  std::thread([&, inbox = loop_->inbox()] {
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(inbox->Post([&] { ++runs; }).ok());
    }
  }).join();

  for (int i = 0; i < 3; ++i) loop_->Turn(kPast);

  EXPECT_EQ(runs, 100);
  EXPECT_EQ(loop_->stats().backend.notifications, 0u);
}

// --- What is thrown
//
// An exception used to propagate from Drain() and the turn: it ended the
// loop's caller, a server's worker included, and discarded the result of an
// Executor::Run(). Tests checked that no message was lost, but not where the
// exception was caught.

TEST_F(InboxTest, PostedFunctionThatThrowsCostsNothingElse) {
  int runs = 0;
  const std::shared_ptr<Inbox> inbox = loop_->inbox();
  EXPECT_TRUE(inbox->Post([&] { ++runs; }).ok());
  EXPECT_TRUE(inbox->Post([] { throw std::runtime_error("on purpose"); }).ok());
  EXPECT_TRUE(inbox->Post([] { throw 1; }).ok());
  EXPECT_TRUE(inbox->Post([&] { ++runs; }).ok());

  ::testing::internal::CaptureStderr();
  loop_->Turn(kPast);

  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "ringway: a posted function threw: on purpose\n"
            "ringway: a posted function threw an unknown type\n");
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(loop_->stats().messages, 4u);
  EXPECT_EQ(loop_->stats().post_exceptions, 2u);
}

TEST_F(InboxTest, WhatAMessageThrowsGoesToTheHandlerAlsoAtTheEnd) {
  std::vector<std::string> thrown;
  loop_->inbox()->SetExceptionHandler([&](std::exception_ptr exception) {
    try {
      std::rethrow_exception(std::move(exception));
    } catch (const std::exception& e) {
      thrown.emplace_back(e.what());
    }
  });
  NumberedMessage in_a_turn, at_the_end, behind;
  in_a_turn.then = [] { throw std::runtime_error("in a turn"); };
  at_the_end.then = [] { throw std::runtime_error("at the end"); };
  EXPECT_TRUE(loop_->inbox()->Send(in_a_turn));
  loop_->Turn(kPast);
  EXPECT_TRUE(loop_->inbox()->Send(at_the_end));
  EXPECT_TRUE(loop_->inbox()->Send(behind));

  loop_.reset();

  EXPECT_EQ(thrown, (std::vector<std::string>{"in a turn", "at the end"}));
  EXPECT_EQ(behind.refused, 1);
}

TEST_F(InboxTest, SendAfterTheEndLeavesTheMessageToTheSender) {
  const std::shared_ptr<Inbox> inbox = loop_->inbox();
  loop_.reset();
  NumberedMessage message;

  EXPECT_FALSE(inbox->Send(message));
  EXPECT_FALSE(inbox->Send(message)) << "it can be tried elsewhere";

  EXPECT_EQ(message.accepted + message.refused, 0);
  EXPECT_EQ(inbox->Post([] { FAIL(); }).code(), absl::StatusCode::kUnavailable);
}

TEST_F(InboxTest, FunctionThatTheEndOvertookIsDestroyedUnrun) {
  auto held = std::make_shared<int>(1);
  EXPECT_TRUE(loop_->inbox()->Post([held] { FAIL(); }).ok());
  ASSERT_EQ(held.use_count(), 2);

  loop_.reset();

  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(InboxTest, SendRacingTheEndIsAcceptedOrRefusedOnce) {
  constexpr size_t kThreads = 3, kEach = 200;
  for (int round = 0; round < 50; ++round) {
    std::unique_ptr<Loop> loop = MakeLoop();
    std::vector<NumberedMessage> messages(kThreads * kEach);
    std::atomic<int> kept{0}, sent{0};
    std::vector<std::thread> threads;
    for (size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t, inbox = loop->inbox()] {
        for (size_t i = t * kEach; i < (t + 1) * kEach; ++i) {
          if (!inbox->Send(messages[i])) kept.fetch_add(1);
          sent.fetch_add(1);
          sent.notify_one();
        }
      });
    }
    // Ends in the middle: after some messages, sleeping between them.
    sent.wait(0);
    while (sent < round * 8) loop->Turn(kPast);

    loop.reset();
    for (std::thread& thread : threads) thread.join();

    int received = 0;
    for (const NumberedMessage& message : messages) {
      EXPECT_LE(message.accepted + message.refused, 1);
      received += message.accepted + message.refused;
    }
    EXPECT_EQ(received + kept, static_cast<int>(kThreads * kEach));
  }
}

// --- What messages carry

// A message of any of the kinds that programs send: a number, an fd, a pointer,
// bytes.
struct PayloadMessage : InboxMessage {
  using Payload = std::variant<uint64_t, UniqueFd, int*, std::string>;

  explicit PayloadMessage(Payload p)
      : InboxMessage(&Received), payload(std::move(p)) {}
  static void Received(InboxMessage& message, bool accepted) {
    static_cast<PayloadMessage&>(message).accepted = accepted;
  }
  Payload payload;
  bool accepted = false;
};

TEST_F(InboxTest, NumbersFdsPointersAndBytesArriveAsTheyWereSent) {
  testing::FdPair pair = testing::MakeSocketPair();
  const int fd = pair.first.get();
  int pointee = 7;
  PayloadMessage number(uint64_t{42}), socket(std::move(pair.first)),
      pointer(&pointee), bytes(std::string(100'000, 'b'));
  std::thread sender([&, inbox = loop_->inbox()] {
    for (PayloadMessage* message : {&number, &socket, &pointer, &bytes}) {
      EXPECT_TRUE(inbox->Send(*message));
    }
  });
  TurnUntil([&] { return bytes.accepted; });
  sender.join();
  EXPECT_EQ(std::get<uint64_t>(number.payload), 42u);
  EXPECT_EQ(std::get<UniqueFd>(socket.payload).get(), fd);
  EXPECT_EQ(*std::get<int*>(pointer.payload), 7);
  EXPECT_EQ(std::get<std::string>(bytes.payload), std::string(100'000, 'b'));
}

TEST_F(InboxTest, WhatIsSentToALoopThatHasEndedStaysTheSenders) {
  const std::shared_ptr<Inbox> inbox = loop_->inbox();
  loop_.reset();
  testing::FdPair pair = testing::MakeSocketPair();
  const int fd = pair.first.get();
  PayloadMessage message(std::move(pair.first));
  EXPECT_FALSE(inbox->Send(message));
  EXPECT_EQ(std::get<UniqueFd>(message.payload).get(), fd);
  EXPECT_FALSE(message.accepted);
}

}  // namespace
}  // namespace ringway
