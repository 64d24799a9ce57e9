// SPDX-License-Identifier: Apache-2.0
//
// PacedTarget: where the requests of an open loop go: connections that stay
// (paced_connections.h), or one for each request (short_pool.h).

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_TARGET_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_TARGET_H_

#include <cstddef>

#include "absl/time/time.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/loadgen/open_loop/pacer.h"
#include "ringway/tools/loadgen/target.h"

namespace ringway::loadgen {

struct PacedTargetOptions {
  PacedTargetOptions() {}

  Target target;
  int connections = 32;
  size_t request_bytes = 64;
  bool verify = true;
  // How many requests may wait: unanswered on one connection, or in all for a
  // connection to be made. More are dropped.
  size_t queue = 1024;
  // The limit of connecting, and of the exchange on a short connection.
  absl::Duration patience = absl::Seconds(5);
};

// It counts in an OpenMeter what becomes of the requests.
class PacedTarget {
 public:
  virtual ~PacedTarget() = default;

  // Returns when it can take requests, or has failed to become so.
  virtual Task<void> Open() = 0;
  // Sends `request`, which was just offered, soon; or drops it.
  virtual void Offer(const PacedRequest& request) = 0;
  // False once no connection is left to send on.
  virtual bool alive() const = 0;
  // Ends all connections, with requests unanswered or not. Once, also if
  // Open() has failed.
  virtual Task<void> Close() = 0;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_TARGET_H_
