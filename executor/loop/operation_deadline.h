// SPDX-License-Identifier: Apache-2.0
//
// OperationDeadline: a deadline for an operation.
//
// The deadline is a timer in the loop's wheel that cancels the operation, so
// deadlines need no system calls. It may be set after the operation was
// started, moved, and removed.
//
//   OperationDeadline deadline(loop);
//   loop.Start(recv);
//   deadline.Set(recv, loop.now() + absl::Seconds(2));
//   ...                                    // in recv's function:
//   int32_t result = deadline.Settle(recv);  // -ETIME, or its own

#ifndef RINGWAY_EXECUTOR_LOOP_OPERATION_DEADLINE_H_
#define RINGWAY_EXECUTOR_LOOP_OPERATION_DEADLINE_H_

#include <cstdint>

#include "ringway/backends/operation.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"

namespace ringway {

class OperationDeadline {
 public:
  explicit OperationDeadline(Loop& loop);
  // The operation may still be active; its deadline is removed.
  ~OperationDeadline();
  OperationDeadline(const OperationDeadline&) = delete;
  OperationDeadline& operator=(const OperationDeadline&) = delete;

  // Cancels `op`, which must be queued or in flight, at `deadline`, never
  // before. With a past deadline it is cancelled now; if it is still queued,
  // it never starts. Replaces an earlier deadline.
  //
  // Cost: O(1), no system call.
  void Set(Operation& op, MonotonicTime deadline);

  // Removes the deadline.
  void Clear();

  // Call it when `op` has ended: removes the deadline and returns the
  // operation's result, or -ETIME if the deadline cancelled it.
  int32_t Settle(const Operation& op);

 private:
  // Runs when the timer has fired.
  struct Expiry : Runnable {
    explicit Expiry(OperationDeadline& d) : Runnable(&Run), owner(d) {}
    static void Run(Runnable& entry);
    OperationDeadline& owner;
  };

  void Expire();

  Loop& loop_;
  LoopTimer timer_;
  Expiry expiry_;
  Operation* operation_ = nullptr;
  bool expired_ = false;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_LOOP_OPERATION_DEADLINE_H_
