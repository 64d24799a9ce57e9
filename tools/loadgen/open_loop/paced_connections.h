// SPDX-License-Identifier: Apache-2.0
//
// PacedConnections: spreads the requests of an open loop evenly over a number
// of connections.

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_CONNECTIONS_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_CONNECTIONS_H_

#include <cstddef>
#include <vector>

#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/loadgen/open_loop/open_loop_options.h"
#include "ringway/tools/loadgen/open_loop/open_meter.h"
#include "ringway/tools/loadgen/open_loop/paced_source.h"
#include "ringway/tools/loadgen/open_loop/paced_target.h"
#include "ringway/tools/loadgen/open_loop/pacer.h"
#include "ringway/tools/loadgen/workers/opening.h"
#include "ringway/tools/loadgen/workers/worker_share.h"

namespace ringway::loadgen {

// A connection that fails is an error and gets no more requests; the others
// get its share.
class PacedConnections final : public PacedTarget {
 public:
  // All must outlive it.
  PacedConnections(const OpenLoopOptions& options, const WorkerShare& share,
                   Opening& opening, OpenMeter& meter)
      : options_(options), share_(share), opening_(opening), meter_(meter) {}

  Task<void> Open() override;
  void Offer(const PacedRequest& request) override;
  bool alive() const override { return !live_.empty(); }
  Task<void> Close() override;

 private:
  Task<void> RunConnection(int index);
  void Leave(const PacedSource& source);

  const OpenLoopOptions& options_;
  const WorkerShare& share_;
  Opening& opening_;
  OpenMeter& meter_;
  std::vector<JoinHandle<void>> tasks_;
  // The connections that take requests; each is its task's.
  std::vector<PacedSource*> live_;
  size_t turn_ = 0;  // whose it is, in `live_`
  bool closing_ = false;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_CONNECTIONS_H_
