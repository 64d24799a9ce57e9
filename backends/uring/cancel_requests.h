// SPDX-License-Identifier: Apache-2.0
//
// CancelRequests: sends cancel requests to the kernel, and repeats them if
// the kernel missed one.
//
// A request can miss an operation that is in flight. -ENOENT: the kernel was
// moving it between its queues, as with a connect to a Unix socket whose
// backlog is full. -EALREADY: a kernel thread was running it and was
// interrupted, but a send that has moved some bytes continues with the rest
// (a send that was tried 128 times moves to such a thread). So if an
// operation has not ended some time after such an answer, the request is
// repeated, after 1 ms at first and up to 8 ms later.

#ifndef RINGWAY_BACKENDS_URING_CANCEL_REQUESTS_H_
#define RINGWAY_BACKENDS_URING_CANCEL_REQUESTS_H_

#include <cstdint>

#include "absl/time/time.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/uring/kernel_ring.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::uring {

// In an entry's user_data: it is the watch for the end (EndWatch) beside the
// operation whose address the rest is.
inline constexpr uint64_t kEndWatchTag = 2;
static_assert(alignof(Operation) > kEndWatchTag);

// One thread at a time. Operations leave it by Unlink(), when they have ended.
class CancelRequests {
 public:
  // Requests carry `user_data`; their outcomes go to OnOutcome().
  explicit CancelRequests(uint64_t user_data) : user_data_(user_data) {}

  // Requests the cancel of `op`, which must be in no list, and of its
  // watch for the end; only of that if `op` has ended and waits for it.
  void Add(Operation& op) { to_ask_.PushBack(op); }

  // Writes as many requests as there is room for.
  void Submit(KernelRing& ring, MonotonicTime now);

  void OnOutcome(int32_t result);
  // Call after each batch of completions.
  void AfterReap(const Clock& clock);

  // True while there are requests that Submit() has not written.
  bool unsubmitted() const { return !to_ask_.empty(); }
  // True if no operations are being cancelled.
  bool empty() const { return to_ask_.empty() && asked_.empty(); }
  // When Submit() must be called again even without completions; infinite if
  // never.
  MonotonicTime next() const { return again_at_; }

  // For a forked child: drops the operations, which belong to the parent.
  void ForgetInChild();

 private:
  static constexpr absl::Duration kShortestPause = absl::Milliseconds(1);
  static constexpr absl::Duration kLongestPause = absl::Milliseconds(8);

  bool Ask(KernelRing& ring, uint64_t target);

  const uint64_t user_data_;
  OperationList to_ask_;
  OperationList asked_;  // requested, not ended yet
  bool missed_ = false;  // one, since the last AfterReap()
  MonotonicTime again_at_ = MonotonicTime::Infinite();
  absl::Duration pause_ = kShortestPause;
};

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_CANCEL_REQUESTS_H_
