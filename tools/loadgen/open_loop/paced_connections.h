// SPDX-License-Identifier: Apache-2.0
//
// PacedConnections: spreads the requests of an open loop evenly over a number
// of connections.

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_CONNECTIONS_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_CONNECTIONS_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/loadgen/open_loop/open_meter.h"
#include "ringway/tools/loadgen/open_loop/paced_connection.h"
#include "ringway/tools/loadgen/open_loop/paced_target.h"
#include "ringway/tools/loadgen/open_loop/pacer.h"

namespace ringway::loadgen {

// A connection that fails is an error and gets no more requests; the others
// get its share.
class PacedConnections final : public PacedTarget {
 public:
  // `options` and `meter` must outlive it.
  PacedConnections(const PacedTargetOptions& options, OpenMeter& meter)
      : options_(options), meter_(meter) {}

  Task<void> Open() override;
  void Offer(const PacedRequest& request) override;
  bool alive() const override { return !live_.empty(); }
  Task<void> Close() override;

 private:
  Task<void> RunConnection(int index);
  template <typename Stream>
  Task<absl::Status> ConnectAndRun(PacedConnection& connection);
  void Leave(const PacedConnection& connection);

  const PacedTargetOptions& options_;
  OpenMeter& meter_;
  std::vector<JoinHandle<void>> tasks_;
  // The connections that take requests; each is its task's.
  std::vector<PacedConnection*> live_;
  size_t turn_ = 0;  // whose it is, in `live_`
  int connecting_ = 0;
  bool closing_ = false;
  Event all_connected_;  // or failed to
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_CONNECTIONS_H_
