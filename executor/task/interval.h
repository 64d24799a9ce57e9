// SPDX-License-Identifier: Apache-2.0
//
// Interval: ticks at a fixed period that does not drift.
//
//   ringway::Interval interval(absl::Seconds(10));
//   while (true) {
//     absl::StatusOr<uint64_t> missed = co_await interval.Tick();
//     if (!missed.ok()) co_return missed.status();
//     Report(/*periods=*/1 + *missed);
//   }

#ifndef RINGWAY_EXECUTOR_TASK_INTERVAL_H_
#define RINGWAY_EXECUTOR_TASK_INTERVAL_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/wait.h"

namespace ringway {

// Ticks are due at whole periods from the start, by the loop's clock. A late
// Tick() returns once, with the number of further ticks that were due by
// then; the next one is at a whole period again. No tick is early.
//
// Threads: its executor's only (checked). It may outlive the executor
//          (loop_dependent.h).
class Interval final : private LoopDependent {
 public:
  class [[nodiscard]] TickOp : public internal::Wait<TickOp> {
   public:
    explicit TickOp(Interval& interval)
        : Wait("a tick"),
          interval_(interval),
          unusable_(WhyUnusable(&interval, "an Interval")) {}
    ~TickOp() { LeaveIfWaiting(); }

    absl::StatusOr<uint64_t> await_resume();

   private:
    friend class internal::Wait<TickOp>;

    internal::WaitEnd Admit();
    internal::WaitEnd Begin();
    bool Leave();

    Interval& interval_;
    const Unusable unusable_;
  };

  // Starts now; the first tick is one period later. `period` is at least a
  // nanosecond (checked). For tasks of the executor that this thread runs
  // (checked).
  explicit Interval(absl::Duration period);
  // No task may wait for it (checked).
  ~Interval() override;
  Interval(const Interval&) = delete;
  Interval& operator=(const Interval&) = delete;

  // Waits for the next tick.
  //
  // Result:       the number of ticks missed since the last one: 0 if this
  //               one is less than a period late.
  // Errors:       Cancelled; the next Tick() then gets the tick.
  //               FailedPrecondition once the executor has ended.
  // Ownership:    the interval must outlive the wait. One task may wait at a
  //               time (checked).
  // Cost:         no allocation and no system call.
  TickOp Tick() { return TickOp(*this); }

  // Restarts the interval: the next tick is one period from now, with none
  // missed. A waiting task waits for that tick, or gets its current one if
  // that has fired in this turn. Aborts once the executor has ended.
  void Reset();

  absl::Duration period() const { return period_; }

 private:
  // No task is left that could wait.
  void OnLoopEnd() override {}
  uint64_t TakeTick();
  MonotonicTime Now() const { return loop_.backend().clock().Now(); }

  Loop& loop_;  // may have ended: see loop_ended()
  const absl::Duration period_;
  MonotonicTime next_;
  LoopTimer timer_;  // armed while a task waits
  bool awaited_ = false;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_INTERVAL_H_
