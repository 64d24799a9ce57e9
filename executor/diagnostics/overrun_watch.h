// SPDX-License-Identifier: Apache-2.0
//
// OverrunWatch: finds the tasks that hold up all others.
//
// A task that runs for long without an await that waits - a parser fed with
// 100 MB, a call that blocks - delays everything else on its worker, and
// nothing shows it but the latency of others. Reading a clock around every
// resume would cost more than most resumes do, so the watch looks at whole
// turns, one reading each, and only once one has overrun does it measure the
// tasks of the next thousand turns and name the one that does it again.

#ifndef RINGWAY_EXECUTOR_DIAGNOSTICS_OVERRUN_WATCH_H_
#define RINGWAY_EXECUTOR_DIAGNOSTICS_OVERRUN_WATCH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "ringway/core/containers/slab.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway {

struct TaskOverrun {
  SlabKey task;
  std::string name;
  absl::Duration duration;  // without a break
};

// One thread at a time.
class OverrunWatch {
 public:
  using Handler = std::function<void(const TaskOverrun&)>;

  // Counts turns whose tasks took longer than `budget`, and calls `handler` for
  // tasks that by themselves did. Without a handler they are reported on
  // stderr, one a second at most.
  OverrunWatch(absl::Duration budget, Handler handler)
      : budget_ns_(absl::ToInt64Nanoseconds(budget)),
        handler_(std::move(handler)) {}

  // After the tasks of a turn, which took from `began` to `ended`.
  void OnTurn(MonotonicTime began, MonotonicTime ended);

  // Whether tasks are to be measured one by one just now.
  bool measures_tasks() const { return turns_to_measure_ > 0; }
  // True if a task that took from `began` to `ended` took too long.
  bool IsOverrun(MonotonicTime began, MonotonicTime ended) const {
    return ended.nanoseconds() - began.nanoseconds() > budget_ns_;
  }
  // After one that did: for `duration`, up to `ended`, without a break.
  void OnTask(SlabKey task, std::string name, absl::Duration duration,
              MonotonicTime ended);

  uint64_t turns() const { return turns_; }
  absl::Duration longest_turn() const {
    return absl::Nanoseconds(longest_turn_ns_);
  }

 private:
  static constexpr int kTurnsToMeasure = 1000;

  void Report(const TaskOverrun& overrun, MonotonicTime now);

  const int64_t budget_ns_;  // plain numbers: OnTurn() is on the hot path
  const Handler handler_;
  int turns_to_measure_ = 0;
  MonotonicTime reported_;  // on stderr, last
  uint64_t unreported_ = 0;
  uint64_t turns_ = 0;  // that overran
  int64_t longest_turn_ns_ = 0;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_DIAGNOSTICS_OVERRUN_WATCH_H_
