// SPDX-License-Identifier: Apache-2.0
//
// Pace: hands out the requests of an open loop when they are due, whatever
// becomes of the earlier ones.

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACER_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/loadgen/open_loop/arrivals.h"
#include "ringway/tools/loadgen/open_loop/phases.h"

namespace ringway::loadgen {

// A request of an open loop. Its latency is counted from `intended`.
struct PacedRequest {
  MonotonicTime intended;
  size_t phase = 0;
};

// What is paced. Phases begin and end in order, and no request is offered
// outside of its phase.
class PacedLoad {
 public:
  virtual void BeginPhase(size_t phase, MonotonicTime now) = 0;
  // `request` is due since `request.intended`, which is not after `now`.
  virtual void Offer(const PacedRequest& request, MonotonicTime now) = 0;
  // All that is due has been offered. Called at least every 50 ms.
  virtual void OnOffered(MonotonicTime now) = 0;
  virtual void EndPhase(size_t phase, MonotonicTime now) = 0;
  // Whether to end early.
  virtual bool stopped() const = 0;

 protected:
  ~PacedLoad() = default;
};

// Paces the requests of `arrivals` in `phases`, which are those of the arrivals
// and begin at `begin`, by the loop's clock. In each turn of the loop it
// offers all that is due, so no rate is too high for the timer's resolution; a
// thread that is too busy shows in the difference of intended and real time.
//
// Errors:    Cancelled, after the end of the phase that was running.
// Ownership: `load` must outlive the task.
Task<absl::Status> Pace(std::vector<Phase> phases, Arrivals arrivals,
                        MonotonicTime begin, PacedLoad& load);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACER_H_
