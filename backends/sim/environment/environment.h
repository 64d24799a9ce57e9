// SPDX-License-Identifier: Apache-2.0
//
// Environment: the shared state of a simulated world: time, randomness,
// scheduled events, faults and the trace.

#ifndef RINGWAY_BACKENDS_SIM_ENVIRONMENT_ENVIRONMENT_H_
#define RINGWAY_BACKENDS_SIM_ENVIRONMENT_ENVIRONMENT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "ringway/backends/sim/environment/description.h"
#include "ringway/backends/sim/environment/event_queue.h"
#include "ringway/backends/sim/environment/faults.h"
#include "ringway/backends/sim/environment/trace.h"
#include "ringway/core/check.h"
#include "ringway/core/rng.h"
#include "ringway/core/time/clock.h"

namespace ringway::sim {

class Environment {
 public:
  explicit Environment(uint64_t seed) : rng(seed) {}
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  MonotonicTime now() const { return clock.Now(); }

  // Schedules `run` for `delay` from now.
  void After(absl::Duration delay, EventQueue::Function run) {
    events.Add(now() + delay, std::move(run));
  }

  // Runs due events and retries waiters of changed descriptions, until
  // nothing is left to do at this time.
  void Settle();

  // Records a mistake of the program under test.
  void Report(std::string error) { errors.push_back(std::move(error)); }
  // Records a mistake that a real backend would not survive. Aborts by
  // default.
  void Misuse(std::string error) {
    RINGWAY_CHECK(survives_misuse, "%s", error.c_str());
    Report(std::move(error));
  }

  // Does not start at zero, so that a test that confuses an instant with a
  // duration fails.
  ManualClock clock{MonotonicTime::FromNanoseconds(1'000'000'000)};
  Rng rng;
  EventQueue events;
  Trace trace;
  Faults faults;
  SingleFailure failure;
  NetworkConditions network;
  DiskConditions disk;
  std::vector<std::string> errors;
  bool survives_misuse = false;
  // No other thread will ever call Notify(), so a backend that would wait for
  // it aborts with a list of the waits.
  bool alone = false;

 private:
  friend class Description;

  void TellWaiters();
  void ShuffleWaiters(Description& description);

  std::vector<std::shared_ptr<Description>> changed_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_ENVIRONMENT_ENVIRONMENT_H_
