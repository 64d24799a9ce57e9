// SPDX-License-Identifier: Apache-2.0
//
// Trace: the events of a simulated world as a hash and, optionally, as text.
// Runs with equal hashes were identical.

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
  kFault,    // value: the injected result, or 0 for a delay
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

  // The hash of all entries so far. The same with every compiler and machine.
  uint64_t hash() const { return hash_; }

  // Sets a function that receives a line for every entry. Null: no text.
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
