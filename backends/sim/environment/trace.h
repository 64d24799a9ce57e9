// SPDX-License-Identifier: Apache-2.0
//
// Trace: what happened in a simulated world, as one number and, if wanted, as
// text. Two runs with the same number were the same run.

#ifndef RINGWAY_BACKENDS_SIM_ENVIRONMENT_TRACE_H_
#define RINGWAY_BACKENDS_SIM_ENVIRONMENT_TRACE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "ringway/backends/operation.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::sim {

enum class TraceEvent : uint8_t {
  kStart,    // value: bytes asked for
  kFault,    // value: the result it is given, or 0 for a delay
  kDeliver,  // value: the event's result
  kEnd,      // value: the result
  kCancel,
  kNotify,
  kSleep,  // value: nanoseconds until the deadline, -1: no deadline
};

class Trace {
 public:
  struct Entry {
    MonotonicTime time;
    TraceEvent event;
    uint32_t backend = 0;
    OpCode opcode = OpCode::kNop;
    int fd = -1;
    int64_t value = 0;
  };

  void Record(const Entry& entry);

  // Of everything recorded so far. The same on every compiler and machine.
  uint64_t hash() const { return hash_; }

  // From now on `write` is given a line for every entry. Null: no text.
  void set_writer(std::function<void(const std::string& line)> write) {
    write_ = std::move(write);
  }

 private:
  void Mix(uint64_t word);

  uint64_t hash_ = 0xcbf29ce484222325;
  std::function<void(const std::string& line)> write_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_ENVIRONMENT_TRACE_H_
