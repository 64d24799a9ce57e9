// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/sync/semaphore.h"

#include "ringway/executor/task/executor.h"

namespace ringway {
namespace {

// At the end of an executor the frames of tasks that did not end in time are
// destroyed in unspecified order, outside any task: a semaphore in one frame
// may be destroyed before a permit in another, which is not an error.
bool FramesAreBeingDestroyed() {
  Executor* executor = Executor::Current();
  return executor != nullptr && executor->current_task() == nullptr;
}

}  // namespace

Semaphore::~Semaphore() {
  RINGWAY_CHECK(held_.empty() || FramesAreBeingDestroyed(),
                "a Semaphore or Mutex was destroyed while it is held");
  while (SemaphorePermit* permit = held_.front()) permit->Forget();
}

std::optional<SemaphorePermit> Semaphore::TryAcquire(size_t n) {
  CheckThread();
  RINGWAY_CHECK(n > 0, "TryAcquire() of no permits");
  std::optional<SemaphorePermit> permit;
  if (CanTake(n)) {
    owner_.BindOrCheck("a Semaphore or Mutex");
    available_ -= n;
    permit.emplace().Hold(*this, n);
  }
  return permit;
}

void Semaphore::Close() {
  CheckThread();
  closed_ = true;
  waiters_.CompleteAll(internal::WaitEnd::kClosed);
}

void Semaphore::ServeWaiters() {
  while (AcquireOp* first = waiters_.front()) {
    if (first->n_ > available_) return;
    available_ -= first->n_;
    first->permit_.Hold(*this, first->n_);
    waiters_.CompleteFront(internal::WaitEnd::kServed);
  }
}

}  // namespace ringway
