// SPDX-License-Identifier: Apache-2.0
//
// The options and counters of a ring.

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

  // Most tasks active at one time, 1 to kMostTasks. A further one is refused:
  // its callback gets -ENOBUFS, as a ResourceExhausted status with this
  // option's name.
  size_t max_tasks = 1u << 20;

  // Receives the exceptions of callbacks; the ring continues. By default they
  // are reported on stderr. Must not throw.
  std::function<void(std::exception_ptr)> on_exception;
};

// InvalidArgument with the option and its limits if one is out of range. Does
// not check the loop's options; Loop::Create() does.
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
