// SPDX-License-Identifier: Apache-2.0
//
// CancelRequests: asks the kernel to end operations, and asks again where it
// has not heard.
//
// A request can miss an operation that is in flight all the same. -ENOENT: the
// kernel was just moving it from one of its places to another, as it does with
// a connect to a Unix socket whose queue is full. -EALREADY: one of the
// kernel's threads was at it and was interrupted, but a send that has moved
// some bytes goes on with the rest (a send that was tried 128 times goes to
// such a thread). So an operation that has not ended a while after such an
// answer is asked for again, after 1 ms at first and 8 ms in the end.

#ifndef RINGWAY_BACKENDS_URING_CANCEL_REQUESTS_H_
#define RINGWAY_BACKENDS_URING_CANCEL_REQUESTS_H_

#include <cstdint>

#include "absl/time/time.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/uring/kernel_ring.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::uring {

// One thread at a time. Operations leave it by Unlink(), when they have ended.
class CancelRequests {
 public:
  // Requests carry `user_data`; their outcomes go to OnOutcome().
  explicit CancelRequests(uint64_t user_data) : user_data_(user_data) {}

  // Has the kernel asked to end `op`, which is in no list.
  void Add(Operation& op) { to_ask_.PushBack(op); }

  // Writes as many requests as there is room for.
  void Submit(KernelRing& ring, MonotonicTime now);

  void OnOutcome(int32_t result);
  // After each batch of completions.
  void AfterReap(const Clock& clock);

  // True while there are requests that Submit() has not written.
  bool unsubmitted() const { return !to_ask_.empty(); }
  // True while operations are here.
  bool empty() const { return to_ask_.empty() && asked_.empty(); }
  // When Submit() must be called again even if nothing happens; or never.
  MonotonicTime next() const { return again_at_; }

  // For a forked child: they are the parent's.
  void ForgetInChild();

 private:
  static constexpr absl::Duration kShortestPause = absl::Milliseconds(1);
  static constexpr absl::Duration kLongestPause = absl::Milliseconds(8);

  const uint64_t user_data_;
  OperationList to_ask_;
  OperationList asked_;  // and not ended yet
  bool missed_ = false;  // one, since the last AfterReap()
  MonotonicTime again_at_ = MonotonicTime::Infinite();
  absl::Duration pause_ = kShortestPause;
};

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_CANCEL_REQUESTS_H_
