// SPDX-License-Identifier: Apache-2.0
//
// Request: the simulator's state of an operation in flight.

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
    kHeld,     // not begun: a fault delays it
    kWaiting,  // for a change of a description, or for a receive buffer
    kEnding,   // its result is known and becomes an outcome later
    kEnded,    // its outcome is delivered by the next Wait()
  };

  Operation& op;
  SimBackend& backend;
  std::shared_ptr<Description> on;     // of op.fd at the start
  std::shared_ptr<Description> other;  // of op.fd2 at the start
  Phase phase = Phase::kHeld;
  MonotonicTime started;

  bool is_short = false;             // a fault makes the transfer short
  bool begun = false;                // a connect in progress
  bool waits_on_other = false;       // for a change of `other`
  Description* parked_on = nullptr;  // in kWaiting, unless for a buffer
  size_t transferred = 0;            // by earlier attempts (MSG_WAITALL)
  std::span<std::byte> buffer;  // lent for this attempt (multishot receives)
  uint32_t undelivered = 0;     // outcomes of the next Wait() (multishots)
  uint64_t checksum = 0;        // of the memory of a zero-copy send
  int32_t result = 0;           // once known
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_REQUEST_H_
