// SPDX-License-Identifier: Apache-2.0
//
// Messages between rings of several threads. The rings are the kernel's: those
// of a simulated world are on one thread.

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <thread>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/ring/ring.h"
#include "ringway/executor/ring/ring_message_fixture.h"
#include "ringway/executor/ring/ring_thread.h"

namespace ringway {
namespace {

using testing::Counted;
using testing::Counting;
using testing::MessageReceiver;

// As many as RINGWAY_MESSAGES says, from each of four rings.
int MessagesPerThread() {
  const char* text = getenv("RINGWAY_MESSAGES");
  return text == nullptr ? 20'000 : atoi(text) / 4;
}

// Receives until everybody has sent everything.
struct Counter {
  static constexpr int kThreads = 4;

  static void OnMessage(Ring& ring, Counter& self, Completion done) {
    const uint64_t value = std::get<uint64_t>(*done.payload);
    const size_t sender = value >> 32;
    EXPECT_EQ(value & 0xffffffff, self.next[sender]++) << "of " << sender;
    if (++self.received == self.expected) ring.Stop();
  }

  int received = 0;
  int expected = kThreads * MessagesPerThread();
  std::array<uint64_t, kThreads> next = {};
};

// Sends numbers, a few at a time, and counts what has arrived.
struct Numbers {
  static void OnDone(Ring& ring, Numbers& self, Completion done) {
    EXPECT_EQ(done.result, 0);
    ++self.arrived;
    self.SendOne(ring);
  }
  void SendOne(Ring& ring) {
    if (sent == MessagesPerThread()) return;
    const uint64_t value = id << 32 | static_cast<uint64_t>(sent++);
    ring.Message(target, value, Context(this, &OnDone));
  }

  RingAddress target;
  uint64_t id;
  int sent = 0;
  int arrived = 0;
};

TEST(RingMessages, OfFourThreadsAllArriveInTheOrderOfEach) {
  Ring ring = *Ring::Create();
  Counter counter;
  ring.OnMessage(Context(&counter, &Counter::OnMessage));
  std::vector<std::thread> threads;
  std::atomic<int> arrived{0};
  for (uint64_t id = 0; id < Counter::kThreads; ++id) {
    threads.emplace_back([&, id, target = ring.address()] {
      Ring own = *Ring::Create();
      Numbers numbers{target, id};
      for (int i = 0; i < 64; ++i) numbers.SendOne(own);
      EXPECT_EQ(own.Run(RunMode::kUntilDone), absl::OkStatus());
      arrived += numbers.arrived;
    });
  }
  EXPECT_EQ(ring.Run(RunMode::kForever), absl::OkStatus());
  // The last ones have been handled; that is still to be told to their senders.
  while (arrived < counter.expected) {
    EXPECT_EQ(ring.RunFor(absl::Milliseconds(1)), absl::OkStatus());
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.received, counter.expected);
  const LoopStats stats = ring.stats().loop;
  EXPECT_LE(stats.backend.notifications, stats.turns)
      << "a turn goes to sleep once at most";
}

// Sends pointers for as long as they arrive; every one of them is with somebody
// at every time.
struct Persistent {
  static constexpr int kAtOnce = 16;

  static void OnDone(Ring& ring, Persistent& self, Completion done) {
    if (!done.ok()) {
      EXPECT_NE(done.payload, nullptr);
      return;
    }
    self.SendOne(ring);
  }
  void SendOne(Ring& ring) {
    ring.Message(target, Counting(*live), Context(this, &OnDone));
  }
  RingAddress target;
  std::atomic<int>* live;
};

TEST(RingMessages, RacingTheEndOfTheirTargetAreNeverLost) {
  for (int round = 0; round < 10; ++round) {
    std::atomic<int> live{0};
    std::atomic<int> seen{0};
    struct Sink {
      static void OnMessage(Ring&, Sink& self, Completion done) {
        EXPECT_NE(std::get<OwnedPointer>(*done.payload).get<Counted>(),
                  nullptr);
        self.seen->fetch_add(1);
        self.seen->notify_all();
      }
      std::atomic<int>* seen;
    } sink{&seen};
    absl::StatusOr<RingThread> target =
        SpawnThread(RingOptions(), [&](Ring& ring) {
          ring.OnMessage(Context(&sink, &Sink::OnMessage));
          return absl::OkStatus();
        });
    ASSERT_TRUE(target.ok()) << target.status();
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&, address = target->address()] {
        Ring own = *Ring::Create();
        Persistent sender{address, &live};
        for (int n = 0; n < Persistent::kAtOnce; ++n) sender.SendOne(own);
        // Every message ends: the last ones by the end of the target.
        EXPECT_EQ(own.Run(RunMode::kUntilDone), absl::OkStatus());
      });
    }
    for (int n = seen; n < round * 10 + 1; n = seen) seen.wait(n);
    target->Kill();
    target->Join();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(live, 0);
  }
}

// The sender goes away with messages on their way.
TEST(RingMessages, RacingTheEndOfTheirSenderAreToldOnce) {
  Ring target = *Ring::Create();
  std::atomic<int> live{0};
  MessageReceiver receiver;
  target.OnMessage(receiver.context());
  for (int round = 0; round < 50; ++round) {
    constexpr int kMessages = 20;
    int told = 0, arrived = 0;
    std::thread sender([&, address = target.address()] {
      struct Teller {
        static void OnDone(Ring&, Teller& self, Completion done) {
          ++*self.told;
          if (done.ok()) ++*self.arrived;
        }
        int* told;
        int* arrived;
      } teller{&told, &arrived};
      Ring own = *Ring::Create();
      for (int i = 0; i < kMessages; ++i) {
        own.Message(address, Counting(live), Context(&teller, &Teller::OnDone));
      }
      EXPECT_EQ(own.Run(RunMode::kNoWait), absl::OkStatus());
    });
    for (int i = 0; i < round % 5; ++i) {
      EXPECT_EQ(target.Run(RunMode::kNoWait), absl::OkStatus());
    }
    sender.join();
    EXPECT_EQ(target.Run(RunMode::kNoWait), absl::OkStatus());
    EXPECT_EQ(target.Run(RunMode::kUntilDone), absl::OkStatus());
    EXPECT_EQ(told, kMessages);
    EXPECT_EQ(static_cast<int>(receiver.payloads.size()), arrived);
    EXPECT_EQ(live, arrived);
    receiver.payloads.clear();
  }
}

}  // namespace
}  // namespace ringway
