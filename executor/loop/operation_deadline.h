// SPDX-License-Identifier: Apache-2.0
//
// OperationDeadline: a time by which an operation has to end.
//
// The deadline is a timer in the loop's wheel that cancels the operation, so
// any number of them cost the kernel nothing. It may be set before or after the
// operation was started, moved, and taken back.
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
  // The operation may still be active; it then has no deadline any more.
  ~OperationDeadline();
  OperationDeadline(const OperationDeadline&) = delete;
  OperationDeadline& operator=(const OperationDeadline&) = delete;

  // Cancels `op`, which must be queued or in flight, at `deadline`: never
  // before. A time that has passed cancels it now: if it is still queued, it
  // never starts. Replaces the deadline set before, if any.
  //
  // Cost: O(1), no system call.
  void Set(Operation& op, MonotonicTime deadline);

  // Takes the deadline back.
  void Clear();

  // To be called when `op` has ended: takes the deadline back and gives the
  // operation's result, or -ETIME if it was the deadline that cancelled it.
  int32_t Settle(const Operation& op);

 private:
  // The timer's other half: what runs when it has fired.
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
