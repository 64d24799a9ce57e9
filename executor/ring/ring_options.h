// SPDX-License-Identifier: Apache-2.0
//
// How a ring is made, and what it counts.

#ifndef RINGWAY_EXECUTOR_RING_RING_OPTIONS_H_
#define RINGWAY_EXECUTOR_RING_RING_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>

#include "absl/status/status.h"
#include "ringway/executor/loop/loop.h"

namespace ringway {

struct RingOptions {
  RingOptions() {}

  LoopOptions loop;

  // Tasks active at one time, 1 to kMostTasks. One more is refused: its
  // callback is told -ENOBUFS, by ResourceExhausted naming this option.
  size_t max_tasks = 1u << 20;

  // Receives what a callback throws; the ring goes on. By default it is
  // reported on stderr. Must not throw.
  std::function<void(std::exception_ptr)> on_exception;
};

// InvalidArgument, naming the option and its limits, if one is out of range,
// but for those of the loop, which Loop::Create() checks.
absl::Status CheckRingOptions(const RingOptions& options);

struct RingStats {
  size_t tasks_active = 0;
  uint64_t tasks_refused = 0;  // for max_tasks
  uint64_t callbacks = 0;
  uint64_t exceptions = 0;  // thrown by callbacks
  LoopStats loop;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_RING_RING_OPTIONS_H_
