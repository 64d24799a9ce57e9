// SPDX-License-Identifier: Apache-2.0
//
// The store-buffer litmus test on the inbox: at the same moment a loop
// announces sleep and then checks the queue, and a sender pushes and then
// checks for sleep. At least one must see the other. With a weaker store in
// FallAsleep() the processor, x86 included, may load before the announcement
// is visible: then the sender does not notify and the loop sleeps. In tests
// that really block, a system call gives the announcement time to become
// visible, and in tests with schedule points a function call does.

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/make_backend.h"
#include "ringway/core/cpu_pause.h"
#include "ringway/core/runnable.h"
#include "ringway/executor/loop/inbox.h"

namespace ringway {
namespace {

struct Message : InboxMessage {
  Message() : InboxMessage([](InboxMessage&, bool) {}) {}
};

// Where two threads meet, again and again.
class Meeting {
 public:
  // Returns when both threads have called it `n` times; on both within some
  // nanoseconds if neither is preempted.
  void Attend(uint32_t n) {
    arrived_.fetch_add(1, std::memory_order_acq_rel);
    for (uint32_t spins = 1; arrived_.load(std::memory_order_acquire) < 2 * n;
         ++spins) {
      if (spins % 1024 == 0) {
        std::this_thread::yield();  // the other thread may need this CPU
      } else {
        CpuPause();
      }
    }
  }

 private:
  std::atomic<uint32_t> arrived_{0};
};

// Varies by some nanoseconds in each round, so that the two overlap in every
// way.
void Linger(uint32_t n) {
  for (uint32_t i = 0; i < n; ++i) asm volatile("" : : "r"(i));
}

TEST(InboxOrder, ALoopThatFallsAsleepAndASenderNeverMissEachOther) {
  constexpr uint32_t kRounds = 300'000;
  // With one CPU the test shows nothing and would take very long.
  const absl::Time enough = absl::Now() + absl::Seconds(3);
  BackendOptions options;
  options.kind = BackendKind::kEpoll;
  absl::StatusOr<std::unique_ptr<Backend>> backend = MakeBackend(options);
  ASSERT_TRUE(backend.ok()) << backend.status();
  Inbox inbox(**backend);
  Message message;
  Meeting before, after;
  std::atomic<bool> stopped{false};
  std::thread sender([&] {
    for (uint32_t n = 1; !stopped; ++n) {
      before.Attend(n);
      Linger(n % 8);
      EXPECT_TRUE(inbox.Send(message));
      after.Attend(n);
    }
  });

  uint32_t slept = 0, missed = 0;
  RunnableList done;
  for (uint32_t n = 1; !stopped; ++n) {
    const bool last = n == kRounds || (n % 1024 == 0 && absl::Now() > enough);
    before.Attend(n);
    Linger(n / 8 % 8);
    const bool asleep = inbox.FallAsleep();
    if (last) stopped = true;
    after.Attend(n);
    const uint64_t rung = (*backend)->stats().notifications;
    (*backend)->Wait((*backend)->clock().Now(), done);
    slept += asleep;
    missed += asleep && (*backend)->stats().notifications == rung;
    inbox.WokeUp();
    EXPECT_EQ(inbox.Drain(), 1u);
  }
  sender.join();

  EXPECT_EQ(missed, 0u) << "of " << slept << " sleeps";
  inbox.Close();
}

}  // namespace
}  // namespace ringway
