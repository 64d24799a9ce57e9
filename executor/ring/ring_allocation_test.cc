// SPDX-License-Identifier: Apache-2.0
//
// Once warm, a ring does not allocate from the heap: neither for operations,
// their deadlines and cancels, nor for timers and messages.

#include <poll.h>

#include <array>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/executor/ring/ring.h"
#include "ringway/executor/ring/ring_fixture.h"

namespace ringway {
namespace {

using testing::BytesOf;
using testing::CountAllocations;
using testing::TestFdPair;

class RingAllocationTest : public testing::RingConformance {};

// Starts a round of everything.
struct Everything {
  static void OnDone(Ring&, Everything& self, Completion done) {
    ++self.callbacks;
    if (done.payload != nullptr && !done.is_final) ++self.messages;
  }
  Context context() { return Context(this, &OnDone); }

  void Start(Ring& ring, Ring& other) {
    for (int i = 0; i < 16; ++i) {
      ring.Nop(context());
      ring.Timer(absl::ZeroDuration(), context());
      const RingTask receive = ring.Recv(pair.first.get(), buffer, context());
      ring.SetDeadline(receive, ring.Now() + absl::Hours(1));
      ring.Send(pair.second.get(), BytesOf("x"), context());
      ring.Cancel(ring.Timer(absl::Hours(1), context()));
      const RingTask never = ring.Poll(quiet.first.get(), POLLIN, context());
      if (i % 2 == 0) {
        ring.Cancel(never);
      } else {
        ring.SetDeadline(never, ring.Now());
      }
      ring.Message(other.address(), uint64_t{1}, context());
    }
  }

  TestFdPair pair, quiet;
  std::array<std::byte, 1> buffer;
  uint64_t callbacks = 0;
  uint64_t messages = 0;
};

TEST_P(RingAllocationTest, NoneOnceWarm) {
  Everything everything{system().SocketPair(), system().SocketPair()};
  Ring other(NewLoop());
  other.OnMessage(everything.context());
  const auto round = [&] {
    everything.Start(ring(), other);
    while (ring().stats().tasks_active > 0) {
      RunWithoutWaiting();
      EXPECT_EQ(other.Run(RunMode::kNoWait), absl::OkStatus());
    }
  };
  for (int i = 0; i < 20; ++i) round();
  const uint64_t allocations_before = CountAllocations();
  const uint64_t callbacks_before = everything.callbacks;

  for (int i = 0; i < 200; ++i) round();

  EXPECT_EQ(CountAllocations() - allocations_before, 0u);
  EXPECT_EQ(everything.callbacks - callbacks_before, 200u * 16 * 8);
  EXPECT_EQ(everything.messages, 220u * 16);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(RingAllocationTest);

}  // namespace
}  // namespace ringway
