// SPDX-License-Identifier: Apache-2.0
//
// TraceRecorder: keeps the newest events of one executor in bounded memory:
// its turns, the resumes of its tasks with their names, the life of each task,
// and its operations. WriteChromeTrace() (trace.h) makes a file of them.
//
//   ringway::TraceRecorder recorder("worker 0");
//   executor.SetTrace(&recorder);
//   ...
//   executor.SetTrace(nullptr);
//
// An executor without a recorder pays one branch for each turn, and for each
// spawn and end of a task; none for an operation. One with a recorder reads
// the clock twice for each resume, and takes a lock for each event.

#ifndef RINGWAY_EXECUTOR_DIAGNOSTICS_TRACE_RECORDER_H_
#define RINGWAY_EXECUTOR_DIAGNOSTICS_TRACE_RECORDER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "ringway/backends/operation.h"
#include "ringway/core/containers/slab.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway {

// Upper limits of the options below.
inline constexpr size_t kMostTraceEvents = size_t{1} << 24;
inline constexpr size_t kMostTracedOperations = size_t{1} << 20;

struct TraceOptions {
  TraceOptions() {}

  // The events that are kept, 1 to kMostTraceEvents, of sizeof(TraceEvent)
  // bytes each: 56. A newer one takes the place of the oldest, which counts as
  // dropped.
  size_t max_events = 1u << 16;

  // The operations in flight that are known at one time, 1 to
  // kMostTracedOperations. One more is not recorded, and counts as dropped.
  size_t max_operations = 1u << 12;
};

// InvalidArgument with the option and its limits if one is out of range.
absl::Status CheckTraceOptions(const TraceOptions& options);

struct TraceEvent {
  enum class Kind : uint8_t {
    kTurnBegin,
    kTurnEnd,  // before it waits
    kResumeBegin,
    kResumeEnd,
    kTaskSpawned,
    kTaskEnded,
    kOperationBegin,  // passed to the kernel at the end of the turn
    kOperationEnd,    // its completion is handled
  };
  static constexpr size_t kMaxName = 31;

  MonotonicTime at;
  uint64_t id = 0;    // of the task or of the operation
  int32_t value = 0;  // of an operation: its fd, or at its end its result
  Kind kind{};
  std::array<char, kMaxName + 1> name{};  // ends with a 0
};

// What was recorded, in order.
struct TraceLog {
  std::string name;
  std::vector<TraceEvent> events;
  uint64_t dropped = 0;  // before `events`, and operations
};

// Made anywhere; used by one executor or loop at a time, on its thread. Must
// not be destroyed while one uses it (checked).
class TraceRecorder {
 public:
  // `name` is that of the thread in the trace. `options` must be valid
  // (checked). Allocates all memory that it needs.
  explicit TraceRecorder(std::string name,
                         const TraceOptions& options = TraceOptions());
  TraceRecorder(const TraceRecorder&) = delete;
  TraceRecorder& operator=(const TraceRecorder&) = delete;
  ~TraceRecorder();

  // A copy of what has been recorded so far; the executor may go on meanwhile,
  // but for the time that the copy takes.
  //
  // Threads: any.
  TraceLog Log() const;

  // Events that were lost: see TraceOptions. Threads: any.
  uint64_t dropped() const;

  // --- Called by the loop and the executor.

  void Attach(const Clock& clock);
  void Detach();

  void BeginTurn(MonotonicTime now);
  void EndTurn();
  void TaskSpawned(SlabKey task, std::string_view name);
  void TaskEnded(SlabKey task, std::string_view name);
  void BeginResume(MonotonicTime now, SlabKey task, std::string_view name);
  void EndResume(MonotonicTime now);
  // Does nothing if it has begun already.
  void BeginOperation(Operation& operation);
  // `entry` is about to run: if it is the end of an operation that has begun,
  // that has ended.
  void EndOperation(Runnable& entry);
  // All have ended.
  void EndOperations();

 private:
  struct OpenOperation {
    uint64_t id;
    OpCode opcode;
    // Tells another entry in the same memory from the operation's.
    Runnable::Function function;
  };

  void Add(TraceEvent::Kind kind, MonotonicTime at, uint64_t id = 0,
           std::string_view name = "", int32_t value = 0);

  const std::string name_;
  const TraceOptions options_;
  const Clock* clock_ = nullptr;  // null: not attached
  absl::flat_hash_map<const Runnable*, OpenOperation> operations_;
  uint64_t last_operation_ = 0;

  mutable std::mutex mutex_;        // guards all below
  std::vector<TraceEvent> events_;  // a ring once it is full
  uint64_t n_added_ = 0;
  uint64_t operations_dropped_ = 0;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_DIAGNOSTICS_TRACE_RECORDER_H_
