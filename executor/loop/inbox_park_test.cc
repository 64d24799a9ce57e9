// SPDX-License-Identifier: Apache-2.0
//
// The inbox and the doorbells of the backends, built with schedule points:
// other threads are interleaved at every point between announcing sleep,
// checking again and blocking, and between sending and notifying. One lost
// wake-up hangs a test.

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/inbox.h"

namespace ringway::testing {
namespace {

constexpr int kThreads = 3;

// The messages of each thread.
uint32_t Rounds() { return static_cast<uint32_t>(Scaled(5'000)); }

// A message that is sent again as soon as it has been received.
struct Ball : InboxMessage {
  Ball() : InboxMessage(&Received) {}
  static void Received(InboxMessage& message, bool accepted) {
    Ball& self = static_cast<Ball&>(message);
    (accepted ? self.accepted : self.refused) += 1;
    self.received.fetch_add(1, std::memory_order_release);
    self.received.notify_one();
  }
  void AwaitReceipt(uint32_t n) {
    for (uint32_t now; (now = received.load(std::memory_order_acquire)) < n;)
      received.wait(now, std::memory_order_acquire);
  }
  std::atomic<uint32_t> received{0};
  uint32_t accepted = 0;
  uint32_t refused = 0;
};

class InboxPark : public BackendConformance {
 protected:
  void SetUp() override {
    BackendConformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    RINGWAY_REQUIRES_KERNEL("threads");
    backend_ = MakeForTest();
    inbox_ = std::make_shared<Inbox>(*backend_);
  }

  // The steps of a loop without work.
  void Park() {
    if (inbox_->FallAsleep()) {
      backend_->Wait(MonotonicTime::Infinite(), done_);
      inbox_->WokeUp();
    } else {
      backend_->Wait(backend_->clock().Now(), done_);
    }
  }

  std::unique_ptr<Backend> backend_;
  std::shared_ptr<Inbox> inbox_;

 private:
  RunnableList done_;
};

// Each thread sends and waits for the receipt, so that the inbox is often
// empty and the loop about to block.
TEST_P(InboxPark, LosesNoWakeUpWhoeverComesInBetween) {
  const uint32_t rounds = Rounds();
  std::vector<Ball> balls(kThreads);
  std::vector<std::thread> threads;
  for (Ball& ball : balls) {
    threads.emplace_back([&ball, rounds, inbox = inbox_] {
      for (uint32_t i = 1; i <= rounds; ++i) {
        EXPECT_TRUE(inbox->Send(ball));
        ball.AwaitReceipt(i);
      }
    });
  }

  for (size_t left = size_t{kThreads} * rounds; (left -= inbox_->Drain()) > 0;)
    Park();

  for (std::thread& thread : threads) thread.join();
  for (const Ball& ball : balls) EXPECT_EQ(ball.accepted, rounds);
  inbox_->Close();
}

// The end of the loop is interleaved too: earlier messages are received or
// refused, and later sends fail.
TEST_P(InboxPark, EndBetweenAnyTwoStepsLosesNoMessage) {
  for (uint32_t round = 0; round < 100; ++round) {
    backend_ = MakeForTest();
    inbox_ = std::make_shared<Inbox>(*backend_);
    std::vector<Ball> balls(kThreads);
    std::vector<uint32_t> sent(kThreads);
    std::vector<std::thread> threads;
    for (size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&ball = balls[t], &n = sent[t], inbox = inbox_] {
        while (inbox->Send(ball)) ball.AwaitReceipt(++n);
      });
    }

    while (inbox_->Drain() == 0) Park();
    for (uint32_t i = 0; i < round % 8; ++i) {
      inbox_->Drain();
      Park();
    }
    inbox_->Close();
    backend_.reset();

    for (std::thread& thread : threads) thread.join();
    for (size_t t = 0; t < kThreads; ++t) {
      EXPECT_EQ(balls[t].accepted + balls[t].refused, sent[t]);
      EXPECT_LE(balls[t].refused, 1u);
    }
  }
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(InboxPark);

}  // namespace
}  // namespace ringway::testing
