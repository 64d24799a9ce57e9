// SPDX-License-Identifier: Apache-2.0
//
// Scheduler: turns several loops of one world on one thread, in an order
// drawn from the world's seed, and advances the clock when all of them are
// blocked.

#ifndef RINGWAY_BACKENDS_SIM_SCHEDULER_H_
#define RINGWAY_BACKENDS_SIM_SCHEDULER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "ringway/backends/sim/sim_backend.h"
#include "ringway/backends/sim/world.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::sim {

class Scheduler {
 public:
  explicit Scheduler(World& world) : world_(world) {}
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Adds a loop over `backend`. `turn` runs one turn, in which the backend's
  // Wait() returns at once; it returns false if the loop must not block now,
  // whatever deadline Wait() got.
  void Add(SimBackend& backend, std::function<bool()> turn);

  // Forgets all loops, whose backends may have been destroyed.
  void Clear();

  // Turns loops until `done`.
  //
  // Errors: DeadlineExceeded when the virtual clock reaches `limit`,
  //         ResourceExhausted after `max_turns`; FailedPrecondition if all
  //         loops are blocked and no event can wake one. All messages list
  //         the waits.
  absl::Status Run(absl::FunctionRef<bool()> done, MonotonicTime limit,
                   uint64_t max_turns);

  uint64_t turns() const { return turns_; }

 private:
  struct Loop {
    SimBackend* backend;
    std::function<bool()> turn;
    bool restless = true;  // it must be turned again regardless of its backend
  };

  Loop* PickAwake();
  MonotonicTime NextWake() const;
  std::string Waits() const;

  World& world_;
  std::vector<Loop> loops_;
  std::vector<Loop*> awake_;
  uint64_t turns_ = 0;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_SCHEDULER_H_
