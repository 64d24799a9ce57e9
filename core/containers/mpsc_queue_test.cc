// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/containers/mpsc_queue.h"

#include <atomic>
#include <barrier>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace ringway {
namespace {

struct Message : MpscNode {
  int sender = 0;
  int number = 0;
};

using Mailbox = MpscQueue<Message>;

std::vector<int> Drain(MpscBatch<Message> batch) {
  std::vector<int> numbers;
  while (Message* message = batch.PopFront()) {
    numbers.push_back(message->number);
  }
  return numbers;
}

TEST(MpscQueue, ReturnsEverythingInTheOrderOfThePushes) {
  Mailbox mailbox;
  Message messages[3];
  for (int i = 0; i < 3; ++i) {
    messages[i].number = i;
    mailbox.Push(messages[i]);
  }

  EXPECT_EQ(Drain(mailbox.TakeAll()), (std::vector<int>{0, 1, 2}));
  EXPECT_TRUE(mailbox.empty());
  EXPECT_TRUE(mailbox.TakeAll().empty());
}

TEST(MpscQueue, TellsTheFirstSenderAfterATakeThatItWasEmpty) {
  Mailbox mailbox;
  Message a, b, c;

  EXPECT_EQ(mailbox.Push(a), PushResult::kWasEmpty);
  EXPECT_EQ(mailbox.Push(b), PushResult::kQueued);
  Drain(mailbox.TakeAll());
  EXPECT_EQ(mailbox.Push(c), PushResult::kWasEmpty);
  Drain(mailbox.TakeAll());
}

TEST(MpscQueue, RefusesPushesOnceClosed) {
  Mailbox mailbox;
  Message message;
  EXPECT_TRUE(mailbox.Close().empty());

  EXPECT_EQ(mailbox.Push(message), PushResult::kClosed);
  EXPECT_EQ(mailbox.Push(message), PushResult::kClosed) << "not held back";
  EXPECT_TRUE(mailbox.closed());
  EXPECT_TRUE(mailbox.empty());
  EXPECT_TRUE(mailbox.TakeAll().empty());
  EXPECT_TRUE(mailbox.Close().empty()) << "closing again is harmless";
}

TEST(MpscQueue, ReturnsOnCloseWhatWasPushedBefore) {
  Mailbox mailbox;
  Message a, b;
  a.number = 1;
  b.number = 2;
  mailbox.Push(a);
  mailbox.Push(b);

  EXPECT_EQ(Drain(mailbox.Close()), (std::vector<int>{1, 2}));
}

TEST(MpscQueue, TakesAnElementThatWasJustPoppedAgain) {
  Mailbox mailbox;
  Message a, b;
  mailbox.Push(a);
  mailbox.Push(b);
  MpscBatch<Message> batch = mailbox.TakeAll();

  Message* popped = batch.PopFront();
  EXPECT_EQ(mailbox.Push(*popped), PushResult::kWasEmpty);

  EXPECT_EQ(batch.PopFront(), &b);
  EXPECT_EQ(mailbox.TakeAll().PopFront(), &a);
}

TEST(MpscBatch, KeepsTheRestWhenMoved) {
  Mailbox mailbox;
  Message a, b;
  mailbox.Push(a);
  mailbox.Push(b);
  MpscBatch<Message> batch = mailbox.TakeAll();
  batch.PopFront();

  MpscBatch<Message> rest = std::move(batch);
  EXPECT_EQ(rest.PopFront(), &b);
  EXPECT_EQ(rest.PopFront(), nullptr);
}

TEST(MpscQueueDeathTest, AbortsOnPushingAnElementTwice) {
  Mailbox mailbox;
  Message message;
  mailbox.Push(message);

  EXPECT_DEATH(mailbox.Push(message), "in a mailbox already");
  Drain(mailbox.TakeAll());
}

TEST(MpscQueueDeathTest, AbortsWhenAQueuedElementIsDestroyed) {
  EXPECT_DEATH(
      {
        Mailbox mailbox;
        auto message = std::make_unique<Message>();
        mailbox.Push(*message);
        message.reset();
      },
      "destroyed while in a mailbox");
}

TEST(MpscQueueDeathTest, AbortsWhenDestroyedWithElements) {
  auto lose_a_message = [] {
    Message message;
    Mailbox mailbox;
    mailbox.Push(message);
  };
  EXPECT_DEATH(lose_a_message(), "destroyed with elements");
}

TEST(MpscQueueDeathTest, AbortsWhenABatchIsDropped) {
  auto drop_a_batch = [] {
    Message message;
    Mailbox mailbox;
    mailbox.Push(message);
    MpscBatch<Message> batch = mailbox.TakeAll();
  };
  EXPECT_DEATH(drop_a_batch(), "before it was drained");
}

constexpr int kSenders = 4;
constexpr int kPerSender = 20'000;

// Checks that each sender's messages arrive complete and in order.
class Receiver {
 public:
  void Take(MpscBatch<Message> batch) {
    while (Message* message = batch.PopFront()) {
      ASSERT_EQ(message->number, next_[message->sender]++);
      ++n_received_;
    }
  }
  int next(int sender) const { return next_[sender]; }
  int n_received() const { return n_received_; }

 private:
  int next_[kSenders] = {};
  int n_received_ = 0;
};

// Starts kSenders threads at once; each numbers its messages and passes them to
// `send(message)` until that returns false.
template <typename Send>
std::vector<std::jthread> StartSenders(std::vector<Message>& messages,
                                       std::barrier<>& start, Send send) {
  std::vector<std::jthread> threads;
  threads.reserve(kSenders);
  for (int sender = 0; sender < kSenders; ++sender) {
    threads.emplace_back([&messages, &start, send, sender] {
      start.arrive_and_wait();
      for (int i = 0; i < kPerSender; ++i) {
        Message& message = messages[sender * kPerSender + i];
        message.sender = sender;
        message.number = i;
        if (!send(message)) break;
      }
    });
  }
  return threads;
}

// The consumer blocks on a doorbell that is only rung for kWasEmpty. A lost
// wake-up hangs the test.
TEST(MpscQueueStress, NoMessageIsLostWhenOnlyTheFirstRingsTheDoorbell) {
  std::vector<Message> messages(kSenders * kPerSender);
  Mailbox mailbox;
  std::counting_semaphore<> doorbell(0);
  std::barrier<> start(kSenders + 1);
  auto threads = StartSenders(messages, start, [&](Message& message) {
    if (mailbox.Push(message) == PushResult::kWasEmpty) doorbell.release();
    return true;
  });

  Receiver receiver;
  start.arrive_and_wait();
  while (receiver.n_received() < kSenders * kPerSender) {
    doorbell.acquire();
    receiver.Take(mailbox.TakeAll());
  }

  for (int i = 0; i < kSenders; ++i) EXPECT_EQ(receiver.next(i), kPerSender);
}

// The consumer announces sleep, checks again and blocks; senders wake it only
// after the announcement. A lost wake-up hangs the test.
TEST(MpscQueueStress, NoWakeUpIsLostBetweenLookingAndSleeping) {
  std::vector<Message> messages(kSenders * kPerSender);
  Mailbox mailbox;
  std::atomic<bool> asleep = false;
  std::counting_semaphore<> doorbell(0);
  std::barrier<> start(kSenders + 1);
  auto threads = StartSenders(messages, start, [&](Message& message) {
    mailbox.Push(message);
    if (asleep.load(std::memory_order_seq_cst) && asleep.exchange(false)) {
      doorbell.release();
    }
    return true;
  });

  Receiver receiver;
  start.arrive_and_wait();
  while (receiver.n_received() < kSenders * kPerSender) {
    asleep.store(true, std::memory_order_seq_cst);
    const bool must_block = mailbox.empty();
    // A sender that saw the announcement has notified, or is about to.
    if (must_block || !asleep.exchange(false)) doorbell.acquire();
    receiver.Take(mailbox.TakeAll());
  }
}

TEST(MpscQueueStress, CloseReturnsOrRefusesEveryMessage) {
  std::vector<Message> messages(kSenders * kPerSender);
  Mailbox mailbox;
  std::atomic<int> n_sent[kSenders] = {};
  std::barrier<> start(kSenders + 1);
  auto threads = StartSenders(messages, start, [&](Message& message) {
    if (mailbox.Push(message) == PushResult::kClosed) return false;
    n_sent[message.sender].fetch_add(1, std::memory_order_relaxed);
    return true;
  });

  Receiver receiver;
  start.arrive_and_wait();
  while (receiver.n_received() < kPerSender) receiver.Take(mailbox.TakeAll());
  receiver.Take(mailbox.Close());
  threads.clear();

  for (int i = 0; i < kSenders; ++i) EXPECT_EQ(receiver.next(i), n_sent[i]);
  EXPECT_TRUE(mailbox.TakeAll().empty());
}

// ThreadSanitizer checks this: nothing else orders the two accesses.
TEST(MpscQueueStress, WhoIsRefusedSeesWhatTheTakerDidBefore) {
  Mailbox mailbox;
  Message message;
  int shared = 0;
  std::atomic<bool> closed{false};
  std::thread sender([&] {
    while (!closed.load(std::memory_order_relaxed)) std::this_thread::yield();
    EXPECT_EQ(mailbox.Push(message), PushResult::kClosed);
    EXPECT_EQ(shared, 1);
  });

  shared = 1;
  EXPECT_TRUE(mailbox.Close().empty());
  closed.store(true, std::memory_order_relaxed);
  sender.join();
}

}  // namespace
}  // namespace ringway
