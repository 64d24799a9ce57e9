// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/diagnostics/overrun_watch.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

namespace ringway {

void OverrunWatch::OnTurn(MonotonicTime began, MonotonicTime ended) {
  if (turns_to_measure_ > 0) --turns_to_measure_;
  const int64_t ns = ended.nanoseconds() - began.nanoseconds();
  longest_turn_ns_ = std::max(longest_turn_ns_, ns);
  if (times_ != nullptr) [[unlikely]] {
    RecordTurn(ns);
  }
  if (ns <= budget_ns_) return;
  ++turns_;
  turns_to_measure_ = kTurnsToMeasure;
}

void OverrunWatch::RecordTurn(int64_t ns) {
  times_->turn.Record(static_cast<uint64_t>(std::max<int64_t>(ns, 0)));
  if (++turns_recorded_ % TurnTimes::kTurnsPerMeasured == 0)
    turns_to_measure_ = std::max(turns_to_measure_, 1);
}

void OverrunWatch::OnTaskTimed(MonotonicTime turn, MonotonicTime began,
                               MonotonicTime ended) {
  if (times_ == nullptr) return;
  const auto between = [](MonotonicTime from, MonotonicTime to) {
    return static_cast<uint64_t>(
        std::max<int64_t>(to.nanoseconds() - from.nanoseconds(), 0));
  };
  times_->task_run.Record(between(began, ended));
  times_->ready_delay.Record(between(turn, began));
}

void OverrunWatch::OnTask(SlabKey task, std::string name,
                          absl::Duration duration, MonotonicTime ended) {
  const TaskOverrun overrun = {task, std::move(name), duration};
  if (handler_) {
    handler_(overrun);
  } else {
    Report(overrun, ended);
  }
}

void OverrunWatch::Report(const TaskOverrun& overrun, MonotonicTime now) {
  const bool first = reported_ == MonotonicTime();
  if (!first && now - reported_ < absl::Seconds(1)) {
    ++unreported_;
    return;
  }
  reported_ = now;
  fprintf(stderr,
          "ringway: task #%u.%u \"%s\" ran %s without suspending and delayed "
          "all others (budget %s; %" PRIu64 " more since the last report)\n",
          overrun.task.index, overrun.task.generation, overrun.name.c_str(),
          absl::FormatDuration(overrun.duration).c_str(),
          absl::FormatDuration(absl::Nanoseconds(budget_ns_)).c_str(),
          unreported_);
  unreported_ = 0;
}

}  // namespace ringway
