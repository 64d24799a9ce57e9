// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/offload_pool.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "ringway/backends/common/cancel_in.h"
#include "ringway/backends/common/system_call.h"
#include "ringway/core/check.h"

namespace ringway {
namespace {

// Operation::result of queued operations.
constexpr int32_t kNotBegun = INT32_MIN;

// Threads started during its lifetime inherit its mask, so that they handle
// no signals of the program.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous_);
  }
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }

 private:
  sigset_t previous_;
};

}  // namespace

OffloadPool::OffloadPool(uint32_t max_threads, int doorbell)
    : max_threads_(max_threads), doorbell_(doorbell) {}

OffloadPool::~OffloadPool() {
  RINGWAY_CHECK(in_flight_ == 0,
                "an offload pool was destroyed with %zu operations in flight",
                in_flight_);
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_or_stop_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void OffloadPool::Start(Operation& op) {
  ++in_flight_;
  op.backend.offloaded = true;
  if (threads_.empty()) StartThreads();
  {
    std::lock_guard lock(mutex_);
    if (threads_.empty()) {
      op.result = -EAGAIN;
      End(op);
      return;
    }
    op.result = kNotBegun;
    queue_.PushBack(op);
  }
  work_or_stop_.notify_one();
}

// Starts as many threads as possible, all at once, so that later operations
// find them.
void OffloadPool::StartThreads() {
  const AllSignalsBlocked blocked;
  try {
    threads_.reserve(max_threads_);
    while (threads_.size() < max_threads_) {
      threads_.emplace_back([this] { Work(); });
    }
  } catch (const std::system_error&) {
    return;  // the limit of processes: fewer suffice
  } catch (const std::bad_alloc&) {
    return;  // as above
  }
}

void OffloadPool::Work() {
  pthread_setname_np(pthread_self(), "ringway-offload");
  std::unique_lock lock(mutex_);
  while (true) {
    work_or_stop_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    Operation* op = queue_.PopFront();
    if (op == nullptr) return;
    op->result = 0;
    running_.PushBack(*op);
    lock.unlock();
    const int32_t result = RunSystemCall(*op);
    lock.lock();
    op->result = result;
    op->Unlink();
    End(*op);
  }
}

// Requires the lock, under which the doorbell is written, so that a pool
// whose operations have all been collected does not write to it again.
void OffloadPool::End(Operation& op) {
  const bool first = ended_.empty();
  ended_.PushBack(op);
  if (first) eventfd_write(doorbell_, 1);
}

bool OffloadPool::Cancel(Operation& op) {
  std::lock_guard lock(mutex_);
  if (op.result != kNotBegun) return false;
  TakeBack(op);
  return true;
}

// Requires the lock, and that `op` has not begun.
void OffloadPool::TakeBack(Operation& op) {
  op.Unlink();
  op.backend.offloaded = false;
  --in_flight_;
}

size_t OffloadPool::CancelUsing(int fd, OperationList& not_begun) {
  if (in_flight_ == 0) return 0;
  size_t n = 0;
  std::lock_guard lock(mutex_);
  for (OperationList* list : {&queue_, &running_, &ended_}) {
    for (Operation* op = list->front(); op != nullptr;) {
      Operation* next = list->Next(*op);
      if (!op->cancel_requested && (fd == kAnyFd || UsesFd(*op, fd))) {
        op->cancel_requested = true;
        ++n;
        if (list == &queue_) {
          TakeBack(*op);
          not_begun.PushBack(*op);
        }
      }
      op = next;
    }
  }
  return n;
}

void OffloadPool::Collect(OperationList& ended) {
  std::lock_guard lock(mutex_);
  for (Operation* op = ended_.front(); op != nullptr; op = ended_.Next(*op)) {
    op->backend.offloaded = false;
    --in_flight_;
  }
  ended.Append(ended_);
}

void OffloadPool::ForgetInChild() {
  // If a thread held the lock when the process forked, it stays locked in the
  // child; the operations then stay unchanged.
  if (!mutex_.try_lock()) return;
  for (OperationList* list : {&queue_, &running_, &ended_}) Forget(*list);
  mutex_.unlock();
}

void OffloadPool::Forget(OperationList& list) {
  while (Operation* op = list.PopFront()) op->state = OpState::kDone;
}

}  // namespace ringway
