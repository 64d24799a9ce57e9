// SPDX-License-Identifier: Apache-2.0
//
// OffloadPool: threads that carry out operations which have no asynchronous
// form on a backend, so that a stalled disk delays no socket.
//
// Operations begin in the order they were started in; the threads start with
// the first of them. Backends tell their loop of ended operations through an
// eventfd of theirs, which the pool writes to whenever there is something to
// collect again.
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

// Threads: the one that made it, but for what its own threads do.
class OffloadPool {
 public:
  // `doorbell`, an eventfd, must outlive the pool.
  OffloadPool(uint32_t max_threads, int doorbell);

  // Requires that everything started has been collected or cancelled.
  ~OffloadPool();

  // Queues `op`, which must be in flight and in no list. Never blocks and never
  // throws; where no thread can be had at all it ends with -EAGAIN.
  void Start(Operation& op);

  // Takes `op`, which must have been started and not been collected, back. True
  // if it had not begun: it is the caller's again. False if it runs or has
  // ended: it will be collected, with its own result.
  bool Cancel(Operation& op);

  // Cancel() for everything that uses `fd` (kAnyFd: everything) and has not
  // been asked to end yet; it is marked as asked. What had not begun moves to
  // `not_begun`. Returns how many were asked.
  size_t CancelUsing(int fd, OperationList& not_begun);

  // Moves what has ended behind `ended`, with results.
  void Collect(OperationList& ended);

  // Operations started and not yet collected or cancelled.
  size_t in_flight() const { return in_flight_; }

  // In a forked child, where its threads do not exist: forgets everything and
  // touches nothing. The pool must then be leaked.
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
