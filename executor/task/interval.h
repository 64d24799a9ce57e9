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

// Ticks are due at whole periods from the start, by the loop's clock. One that
// is late comes once, however late, and says how many more were due by then;
// the next is at a whole period again. None is early.
//
// Threads: that of its executor only (checked). It may outlive the executor
// (loop_dependent.h).
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

  // Starts now: the first tick is a period away. `period` is at least a
  // nanosecond (checked). For tasks of the executor that this thread runs
  // (checked).
  explicit Interval(absl::Duration period);
  // No task may wait for it (checked).
  ~Interval() override;
  Interval(const Interval&) = delete;
  Interval& operator=(const Interval&) = delete;

  // Waits for the next tick.
  //
  // Result:       How many ticks were missed since the last one: 0 if this one
  //               is less than a period late.
  // Errors:       Cancelled; the tick is then the next one's to take.
  //               FailedPrecondition once the executor has ended.
  // Ownership:    The interval must outlive the wait. One task waits at a time
  //               (checked).
  // Cost:         No allocation, no system call of its own.
  TickOp Tick() { return TickOp(*this); }

  // Starts anew: the next tick is a period from now, and none was missed. A
  // task that waits goes on waiting, for that one; if its tick has come in this
  // turn, it still gets it.
  // Aborts once the executor has ended.
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
