// SPDX-License-Identifier: Apache-2.0
//
// Request: what the simulator knows about an operation in flight beyond what
// the operation says itself.

#ifndef RINGWAY_BACKENDS_SIM_REQUEST_H_
#define RINGWAY_BACKENDS_SIM_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "ringway/backends/operation.h"
#include "ringway/backends/sim/environment/description.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::sim {

class SimBackend;

struct Request : Waiter {
  Request(Operation& o, SimBackend& b, Function retry)
      : Waiter(retry), op(o), backend(b) {}
  ~Request() {
    if (linked()) Unlink();
  }

  enum class Phase : uint8_t {
    kHeld,     // not begun: a fault makes it late
    kWaiting,  // for a change of what it is about, or for a receive buffer
    kEnding,   // what came of it is known, and becomes an outcome later
    kEnded,    // it has its outcome, to be told at the next Wait()
  };

  Operation& op;
  SimBackend& backend;
  std::shared_ptr<Description> on;     // what op.fd referred to at the start
  std::shared_ptr<Description> other;  // what op.fd2 did
  Phase phase = Phase::kHeld;
  MonotonicTime started;

  bool is_short = false;        // a fault lets it transfer less than it could
  bool begun = false;           // a connect that is under way
  bool waits_on_other = false;  // for a change of `other`
  Description* parked_on = nullptr;  // in kWaiting, unless for a buffer
  size_t transferred = 0;            // by earlier attempts (MSG_WAITALL)
  std::span<std::byte> buffer;  // lent for this attempt (multishot receives)
  uint64_t checksum = 0;        // of what a zero-copy send must not change
  int32_t result = 0;           // what it ends with, once that is known
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_REQUEST_H_
