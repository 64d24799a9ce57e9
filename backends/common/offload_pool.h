// SPDX-License-Identifier: Apache-2.0
//
// OffloadPool: threads for operations that have no asynchronous form on a
// backend, so that a slow disk does not delay sockets.
//
// Operations begin in the order they were started; a thread starts with each of
// the first that are in flight at a time. The pool writes to the backend's
// eventfd whenever ended operations become available to collect.
//
// The loop never waits for a thread of the pool, which the kernel may preempt
// at any point: there is no lock. What the loop starts is in one of a fixed
// number of places, each an atomic pointer, or waits for one. A thread takes it
// from there by an exchange, and so does a cancel.
//
//   pool.Start(op);
//   ...                   // the doorbell becomes readable
//   pool.Collect(ended);  // op.result is set

#ifndef RINGWAY_BACKENDS_COMMON_OFFLOAD_POOL_H_
#define RINGWAY_BACKENDS_COMMON_OFFLOAD_POOL_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "ringway/backends/operation.h"
#include "ringway/core/threads/thread_semaphore.h"

namespace ringway {

// Threads: the one that made it.
class OffloadPool {
 public:
  // `doorbell`, an eventfd, must outlive the pool.
  OffloadPool(uint32_t max_threads, int doorbell);

  // Requires that everything started has been collected or cancelled.
  ~OffloadPool();

  // Queues `op`, which must be in flight and in no list. Never blocks and
  // never throws; if no thread can be started at all, `op` ends with -EAGAIN.
  void Start(Operation& op);

  // Takes back `op`, which must have been started and not been collected.
  // True if it had not begun: it belongs to the caller again. False if it
  // runs or has ended: it will be collected, with its own result.
  bool Cancel(Operation& op);

  // Cancel() for every operation that uses `fd` (kAnyFd: every one) and is
  // not marked as cancelled yet; marks them. Those that had not begun move to
  // `not_begun`. Returns the number marked.
  size_t CancelUsing(int fd, OperationList& not_begun);

  // Appends the operations that have ended to `ended`, with their results.
  void Collect(OperationList& ended);

  // Operations started and not yet collected or cancelled.
  size_t in_flight() const { return in_flight_; }

  // For a forked child, in which its threads do not exist: drops all
  // operations. The pool must then be leaked.
  void ForgetInChild();

 private:
  static constexpr uint16_t kPlaces = 256;
  static constexpr uint16_t kWaits = kPlaces;  // the place of one that has none

  // For the loop.

  // True if threads find it now.
  bool FindPlace(Operation& op);
  void PlaceWaiting();
  bool TakeBack(Operation& op);
  void StartThread();
  static void Forget(OperationList& list);

  // For the threads.

  void Work();
  void End(Operation& op);

  const uint32_t max_threads_;
  const int doorbell_;

  std::vector<std::thread> threads_;
  size_t in_flight_ = 0;
  OperationList waiting_;
  OperationList placed_;  // in a place, running or ended
  size_t n_placed_ = 0;   // ever: the next place is this one's

  std::array<std::atomic<Operation*>, kPlaces> places_{};
  internal::ThreadSemaphore tokens_;  // one for each time a place was filled
  std::atomic<size_t> n_taken_{0};    // of them
  // The last of those that have ended; backend.memory links them.
  std::atomic<Operation*> ended_{nullptr};
  std::atomic<bool> stopping_{false};
};

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_OFFLOAD_POOL_H_
