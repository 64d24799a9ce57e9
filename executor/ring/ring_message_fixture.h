// SPDX-License-Identifier: Apache-2.0
//
// What tests send from ring to ring, and where it arrives.

#ifndef RINGWAY_EXECUTOR_RING_RING_MESSAGE_FIXTURE_H_
#define RINGWAY_EXECUTOR_RING_RING_MESSAGE_FIXTURE_H_

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/executor/ring/ring.h"

namespace ringway::testing {

// Counts what lives, so that nothing is lost and nothing deleted twice.
struct Counted {
  explicit Counted(std::atomic<int>& l) : live(l) { ++live; }
  ~Counted() { --live; }
  std::atomic<int>& live;
};

inline MessagePayload Counting(std::atomic<int>& live) {
  return OwnedPointer(std::make_unique<Counted>(live));
}

// Keeps what arrives.
struct MessageReceiver {
  static void OnMessage(Ring&, MessageReceiver& self, Completion done) {
    EXPECT_FALSE(done.is_final);
    self.payloads.push_back(std::move(*done.payload));
  }
  Context context() { return Context(this, &OnMessage); }
  std::vector<MessagePayload> payloads;
};

}  // namespace ringway::testing

#endif  // RINGWAY_EXECUTOR_RING_RING_MESSAGE_FIXTURE_H_
