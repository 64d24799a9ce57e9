// SPDX-License-Identifier: Apache-2.0
//
// OverrunWatch: finds the tasks that delay all others.
//
// A task that runs for long without suspending - a parser of 100 MB of input,
// a blocking call - delays everything else on its worker, and only the
// latency of the others shows it. Reading a clock around every resume would
// cost more than most resumes do. So the watch times whole turns, with one
// reading each; after an overrun it times the tasks of the next thousand
// turns and reports the one that overruns again.

#ifndef RINGWAY_EXECUTOR_DIAGNOSTICS_OVERRUN_WATCH_H_
#define RINGWAY_EXECUTOR_DIAGNOSTICS_OVERRUN_WATCH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "ringway/core/containers/slab.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/diagnostics/turn_times.h"

namespace ringway {

struct TaskOverrun {
  SlabKey task;
  std::string name;
  absl::Duration duration;  // without suspending
};

// One thread at a time.
class OverrunWatch {
 public:
  using Handler = std::function<void(const TaskOverrun&)>;

  // Counts turns whose tasks took longer than `budget`, and calls `handler`
  // for single tasks that did. Without a handler they are reported on stderr,
  // at most one a second.
  OverrunWatch(absl::Duration budget, Handler handler)
      : budget_ns_(absl::ToInt64Nanoseconds(budget)),
        handler_(std::move(handler)) {}

  // Called after the tasks of a turn have run, from `began` to `ended`.
  void OnTurn(MonotonicTime began, MonotonicTime ended);

  // Records in `times` from now on, which must outlive this; null: no longer.
  void set_times(TurnTimes* times) { times_ = times; }

  // True while tasks are to be timed individually.
  bool measures_tasks() const { return turns_to_measure_ > 0; }
  // True if a task that ran from `began` to `ended` took too long.
  bool IsOverrun(MonotonicTime began, MonotonicTime ended) const {
    return ended.nanoseconds() - began.nanoseconds() > budget_ns_;
  }
  // Called while that is so, after a task of the turn that began at `turn` ran
  // from `began` to `ended`.
  void OnTaskTimed(MonotonicTime turn, MonotonicTime began,
                   MonotonicTime ended);
  // Called after one that did: it ran for `duration`, up to `ended`, without a
  // break.
  void OnTask(SlabKey task, std::string name, absl::Duration duration,
              MonotonicTime ended);

  uint64_t turns() const { return turns_; }
  absl::Duration longest_turn() const {
    return absl::Nanoseconds(longest_turn_ns_);
  }

 private:
  static constexpr int kTurnsToMeasure = 1000;

  void RecordTurn(int64_t ns);
  void Report(const TaskOverrun& overrun, MonotonicTime now);

  const int64_t budget_ns_;  // plain numbers: OnTurn() is on the hot path
  const Handler handler_;
  int turns_to_measure_ = 0;
  TurnTimes* times_ = nullptr;
  unsigned turns_recorded_ = 0;
  MonotonicTime reported_;  // on stderr, last
  uint64_t unreported_ = 0;
  uint64_t turns_ = 0;  // that overran
  int64_t longest_turn_ns_ = 0;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_DIAGNOSTICS_OVERRUN_WATCH_H_
