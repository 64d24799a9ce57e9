// SPDX-License-Identifier: Apache-2.0
//
// ShortPool: makes a connection for each request of an open loop, a number of
// them at once; the other requests wait for their turn.

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_SHORT_POOL_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_SHORT_POOL_H_

#include <vector>

#include "ringway/core/containers/circular_queue.h"
#include "ringway/executor/sync/notify.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/loadgen/open_loop/open_loop_options.h"
#include "ringway/tools/loadgen/open_loop/open_meter.h"
#include "ringway/tools/loadgen/open_loop/paced_target.h"
#include "ringway/tools/loadgen/open_loop/pacer.h"
#include "ringway/tools/loadgen/workers/worker_share.h"

namespace ringway::loadgen {

// A connection that fails is an error, and its request is lost.
class ShortPool final : public PacedTarget {
 public:
  // All must outlive it.
  ShortPool(const OpenLoopOptions& options, const WorkerShare& share,
            OpenMeter& meter)
      : options_(options), share_(share), meter_(meter) {}

  Task<void> Open() override;
  void Offer(const PacedRequest& request) override;
  bool alive() const override { return true; }
  Task<void> Close() override;

 private:
  // One connection after another.
  Task<void> MakeConnections(int index);

  const OpenLoopOptions& options_;
  const WorkerShare& share_;
  OpenMeter& meter_;
  internal::CircularQueue<PacedRequest> waiting_;
  Notify offered_;
  std::vector<JoinHandle<void>> tasks_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_SHORT_POOL_H_
