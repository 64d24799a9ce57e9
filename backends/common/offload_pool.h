// SPDX-License-Identifier: Apache-2.0
//
// OffloadPool: threads for operations that have no asynchronous form on a
// backend, so that a slow disk does not delay sockets.
//
// Operations begin in the order they were started; the threads start with the
// first of them. The pool writes to the backend's eventfd whenever ended
// operations become available to collect.
//
//   pool.Start(op);
//   ...                   // the doorbell becomes readable
//   pool.Collect(ended);  // op.result is set

#ifndef RINGWAY_BACKENDS_COMMON_OFFLOAD_POOL_H_
#define RINGWAY_BACKENDS_COMMON_OFFLOAD_POOL_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "ringway/backends/operation.h"

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
  // operations without touching them. The pool must then be leaked.
  void ForgetInChild();

 private:
  void StartThreads();
  void TakeBack(Operation& op);
  void Work();
  void End(Operation& op);
  static void Forget(OperationList& list);

  const uint32_t max_threads_;
  const int doorbell_;
  size_t in_flight_ = 0;
  std::vector<std::thread> threads_;

  std::mutex mutex_;  // guards all below
  std::condition_variable work_or_stop_;
  OperationList queue_;
  OperationList running_;
  OperationList ended_;
  bool stopping_ = false;
};

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_OFFLOAD_POOL_H_
