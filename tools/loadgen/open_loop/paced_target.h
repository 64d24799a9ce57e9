// SPDX-License-Identifier: Apache-2.0
//
// PacedTarget: where the requests of an open loop go: connections that stay
// (paced_connections.h), or one for each request (short_pool.h).

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_TARGET_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_TARGET_H_

#include "ringway/executor/task/task.h"
#include "ringway/tools/loadgen/open_loop/pacer.h"

namespace ringway::loadgen {

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
