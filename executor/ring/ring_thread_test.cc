// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/ring/ring_thread.h"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/executor/ring/ring.h"
#include "ringway/executor/ring/ring_fixture.h"

namespace ringway {
namespace {

using testing::Log;
using testing::Once;

absl::Status Nothing(Ring&) { return absl::OkStatus(); }

// Sends back every number that arrives, one larger.
struct Adder {
  static void OnMessage(Ring& ring, Adder& self, Completion done) {
    ring.Message(self.answer_to, std::get<uint64_t>(*done.payload) + 1,
                 Context(&self, &OnSent));
  }
  static void OnSent(Ring&, Adder&, Completion done) {
    EXPECT_EQ(done.result, 0);
  }
  RingAddress answer_to;
};

TEST(SpawnThreadTest, ItsRingIsIdleAndReady) {
  Log log;
  uint64_t answer = 0;
  Ring ring = *Ring::Create();  // its end runs the callbacks above
  Adder adder{ring.address()};
  absl::StatusOr<RingThread> thread =
      SpawnThread(RingOptions(), [&](Ring& other) {
        other.OnMessage(Context(&adder, &Adder::OnMessage));
        return absl::OkStatus();
      });
  ASSERT_TRUE(thread.ok()) << thread.status();
  log.then = [&](Ring& ring, uint16_t which, Completion& done) {
    if (which == 1) return;
    answer = std::get<uint64_t>(*done.payload);
    ring.Stop();
  };
  ring.OnMessage(log.At(0));
  ring.Message(thread->address(), uint64_t{41}, log.At(1));
  EXPECT_EQ(ring.Run(RunMode::kForever), absl::OkStatus());
  EXPECT_EQ(answer, 42u);
}

TEST(SpawnThreadTest, KillEndsItsTasksAndTellsThem) {
  Log log;
  absl::StatusOr<RingThread> thread =
      SpawnThread(RingOptions(), [&](Ring& ring) {
        ring.Timer(absl::Hours(1), log.At(0));
        return absl::OkStatus();
      });
  ASSERT_TRUE(thread.ok()) << thread.status();
  thread->Kill();
  thread->Kill();
  thread->Join();
  EXPECT_EQ(log.Finals(0), Once(-ECANCELED));
  EXPECT_EQ(thread->address().Send(uint64_t{1}).code(),
            absl::StatusCode::kUnavailable);
  thread->Kill();
  thread->Join();
}

TEST(SpawnThreadTest, ItsOwnStopEndsIt) {
  Log log;
  log.then = [](Ring& ring, uint16_t, Completion&) { ring.Stop(); };
  absl::StatusOr<RingThread> thread =
      SpawnThread(RingOptions(), [&](Ring& ring) {
        ring.Nop(log.At(0));
        return absl::OkStatus();
      });
  ASSERT_TRUE(thread.ok()) << thread.status();
  thread->Join();
  EXPECT_EQ(log.Finals(0), Once(0));
}

TEST(SpawnThreadTest, WhatFailsIsReturnedAndLeavesNothing) {
  const size_t fds = testing::CountOpenFds();
  RingOptions bad;
  bad.max_tasks = 0;
  EXPECT_EQ(SpawnThread(bad, &Nothing).status().code(),
            absl::StatusCode::kInvalidArgument);
  Log log;
  const auto refuses = [&](Ring& ring) {
    ring.Timer(absl::Hours(1), log.At(0));
    return absl::AbortedError("not today");
  };
  EXPECT_EQ(SpawnThread(RingOptions(), refuses).status(),
            absl::AbortedError("not today"));
  EXPECT_EQ(log.Finals(0), Once(-ECANCELED)) << "the ring has ended";
  const auto throws = [](Ring&) -> absl::Status {
    throw std::runtime_error("on purpose");
  };
  EXPECT_THROW(static_cast<void>(SpawnThread(RingOptions(), throws)),
               std::runtime_error);
  EXPECT_EQ(testing::CountOpenFds(), fds);
}

TEST(SpawnThreadTest, ComesAndGoesAThousandTimesAndLeavesNothing) {
  const size_t fds = testing::CountOpenFds();
  std::atomic<int> alive{0};
  for (int i = 0; i < 1'000; ++i) {
    absl::StatusOr<RingThread> thread =
        SpawnThread(RingOptions(), [&](Ring& ring) {
          ++alive;
          struct Teller {
            static void OnDone(Ring&, std::atomic<int>& n, Completion) { --n; }
          };
          ring.Timer(absl::Hours(1), Context(&alive, &Teller::OnDone));
          return absl::OkStatus();
        });
    ASSERT_TRUE(thread.ok()) << thread.status();
    ASSERT_EQ(alive, 1);
    if (i % 2 == 0) thread->Kill();
  }
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(testing::CountOpenFds(), fds);
}

}  // namespace
}  // namespace ringway
