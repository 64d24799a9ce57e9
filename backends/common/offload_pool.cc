// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/offload_pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include "ringway/backends/common/cancel_in.h"
#include "ringway/backends/common/system_call.h"
#include "ringway/core/check.h"
#include "ringway/core/schedule_point.h"

namespace ringway {
namespace {

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
  stopping_.store(true, std::memory_order_release);
  tokens_.Release(static_cast<int64_t>(threads_.size()));
  for (std::thread& thread : threads_) thread.join();
}

// --- The loop's side.

void OffloadPool::Start(Operation& op) {
  ++in_flight_;
  op.backend.offloaded = true;
  if (threads_.size() < std::min<size_t>(in_flight_, max_threads_))
    StartThread();
  if (threads_.empty()) {
    placed_.PushBack(op);
    op.result = -EAGAIN;
    End(op);
    return;
  }
  op.backend.offload_place = kWaits;
  waiting_.PushBack(op);
  PlaceWaiting();
}

// In the order in which they were started.
void OffloadPool::PlaceWaiting() {
  while (Operation* op = waiting_.front()) {
    if (!FindPlace(*op)) return;
  }
}

// If the next place is not free, it has an operation that will end; then there
// is another attempt.
bool OffloadPool::FindPlace(Operation& op) {
  const auto place = static_cast<uint16_t>(n_placed_ % kPlaces);
  if (places_[place].load(std::memory_order_acquire) != nullptr) return false;
  op.Unlink();
  placed_.PushBack(op);
  op.backend.offload_place = place;
  ++n_placed_;
  internal::SchedulePoint();
  places_[place].store(&op, std::memory_order_release);
  internal::SchedulePoint();
  tokens_.Release();
  return true;
}

bool OffloadPool::Cancel(Operation& op) {
  if (!TakeBack(op)) return false;
  PlaceWaiting();
  return true;
}

// A thread that comes for it finds nothing, or what has the place by then.
bool OffloadPool::TakeBack(Operation& op) {
  const uint16_t place = op.backend.offload_place;
  Operation* expected = &op;
  if (place != kWaits && !places_[place].compare_exchange_strong(
                             expected, nullptr, std::memory_order_acq_rel))
    return false;
  op.Unlink();
  op.backend.offloaded = false;
  --in_flight_;
  return true;
}

size_t OffloadPool::CancelUsing(int fd, OperationList& not_begun) {
  size_t n = 0;
  for (OperationList* list : {&placed_, &waiting_}) {
    for (Operation* op = list->front(); op != nullptr;) {
      Operation* next = list->Next(*op);
      if (!op->cancel_requested && (fd == kAnyFd || UsesFd(*op, fd))) {
        op->cancel_requested = true;
        ++n;
        if (TakeBack(*op)) not_begun.PushBack(*op);
      }
      op = next;
    }
  }
  PlaceWaiting();
  return n;
}

void OffloadPool::Collect(OperationList& ended) {
  Operation* last = ended_.exchange(nullptr, std::memory_order_acquire);
  OperationList oldest_first;
  while (last != nullptr) {
    Operation& op = *last;
    last = static_cast<Operation*>(std::exchange(op.backend.memory, nullptr));
    op.Unlink();
    op.backend.offloaded = false;
    --in_flight_;
    oldest_first.PushFront(op);
  }
  ended.Append(oldest_first);
  PlaceWaiting();
}

void OffloadPool::StartThread() {
  const AllSignalsBlocked blocked;
  try {
    threads_.reserve(max_threads_);
    threads_.emplace_back([this] { Work(); });
  } catch (const std::system_error&) {
    return;  // the limit of processes: those that there are suffice
  } catch (const std::bad_alloc&) {
    return;  // as above
  }
}

void OffloadPool::ForgetInChild() {
  for (OperationList* list : {&placed_, &waiting_}) Forget(*list);
}

void OffloadPool::Forget(OperationList& list) {
  while (Operation* op = list.PopFront()) op->state = OpState::kDone;
}

// --- The threads' side.

void OffloadPool::Work() {
  pthread_setname_np(pthread_self(), "ringway-offload");
  // One that is woken does not preempt the loop that woke it.
  const sched_param none = {};
  sched_setscheduler(/*pid=*/0, SCHED_BATCH, &none);
  while (true) {
    tokens_.Acquire();
    if (stopping_.load(std::memory_order_acquire)) return;
    internal::SchedulePoint();
    const size_t place =
        n_taken_.fetch_add(1, std::memory_order_acq_rel) % kPlaces;
    internal::SchedulePoint();
    Operation* op = places_[place].exchange(nullptr, std::memory_order_acq_rel);
    internal::SchedulePoint();
    if (op == nullptr) continue;  // it was cancelled
    op->result = RunSystemCall(*op);
    internal::SchedulePoint();
    End(*op);
  }
}

// From then on `op` may be gone, but not the pool, which waits for its threads.
void OffloadPool::End(Operation& op) {
  Operation* last = ended_.load(std::memory_order_relaxed);
  do {
    op.backend.memory = last;
  } while (!ended_.compare_exchange_weak(last, &op, std::memory_order_acq_rel,
                                         std::memory_order_relaxed));
  internal::SchedulePoint();
  if (last == nullptr) eventfd_write(doorbell_, 1);
}

}  // namespace ringway
