// SPDX-License-Identifier: Apache-2.0
//
// Semaphore: a number of permits that tasks acquire and release, to bound the
// work or the bytes in progress at a time.
//
// Strictly FIFO: later requests for few permits do not overtake an earlier
// one for many, and released permits go to waiting tasks first.
//
//   Semaphore connections(100);
//   absl::StatusOr<SemaphorePermit> permit = co_await connections.Acquire();
//   if (!permit.ok()) co_return permit.status();
//   ...                                  // the permit's end gives it back

#ifndef RINGWAY_EXECUTOR_SYNC_SEMAPHORE_H_
#define RINGWAY_EXECUTOR_SYNC_SEMAPHORE_H_

#include <cstddef>
#include <limits>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/task/wait.h"

namespace ringway {

class Semaphore;

// Holds permits. Its destructor releases them, on the semaphore's worker
// (checked). The semaphore must outlive it (checked).
class [[nodiscard]] SemaphorePermit : private ListNode {
 public:
  // Holds nothing.
  SemaphorePermit() = default;
  SemaphorePermit(SemaphorePermit&& other) noexcept { TakeOver(other); }
  SemaphorePermit& operator=(SemaphorePermit&& other) noexcept;
  ~SemaphorePermit() { Release(); }

  // The number of permits; 0 once released, forgotten or moved from.
  size_t count() const { return count_; }

  // Releases the permits now, if it holds any.
  void Release();

  // Drops the permits without releasing them; call Semaphore::Release() to
  // return them later.
  void Forget();

 private:
  friend class Semaphore;
  friend class IntrusiveList<SemaphorePermit>;

  void Hold(Semaphore& semaphore, size_t count);
  void LetGo();
  void TakeOver(SemaphorePermit& other);

  Semaphore* semaphore_ = nullptr;  // while count_ > 0
  size_t count_ = 0;
};

// For one worker. No task may wait for it, and none of its permits may be
// held, when it is destroyed (checked).
class Semaphore {
 public:
  class [[nodiscard]] AcquireOp : public internal::QueuedWait<AcquireOp> {
   public:
    AcquireOp(Semaphore& semaphore, size_t n) : semaphore_(semaphore), n_(n) {}
    absl::StatusOr<SemaphorePermit> await_resume() {
      if (!served()) return status();
      return std::move(permit_);
    }

   protected:
    // Set when the wait is served, moved out when the task continues.
    SemaphorePermit permit_;

   private:
    friend class Semaphore;
    friend class internal::Wait<AcquireOp>;
    friend class internal::QueuedWait<AcquireOp>;
    friend class internal::WaitLine<AcquireOp>;
    static constexpr char kOwner[] = "a Semaphore or Mutex";

    internal::WaitEnd Begin();
    OwnerThread& owner() { return semaphore_.owner_; }
    void AfterCancel() { semaphore_.ServeWaiters(); }

    Semaphore& semaphore_;
    const size_t n_;
  };

  explicit Semaphore(size_t permits) : available_(permits) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;
  ~Semaphore();

  // Takes `n` permits, at least 1 (checked), once all of them are available
  // and no earlier caller waits.
  //
  // Errors:       Unavailable once closed. Cancelled.
  // Cancellation: takes nothing and lets the next waiter proceed. A task that
  //               is cancelled after it was given its permits has them.
  // Cost:         no allocation.
  AcquireOp Acquire(size_t n = 1) {
    RINGWAY_CHECK(n > 0, "Acquire() of no permits");
    return AcquireOp(*this, n);
  }

  // Acquires without waiting; nullopt if Acquire() would wait or it is
  // closed.
  std::optional<SemaphorePermit> TryAcquire(size_t n = 1);

  // Adds `n` permits: forgotten ones or new ones.
  void Release(size_t n = 1) {
    CheckThread();
    RINGWAY_CHECK(n <= std::numeric_limits<size_t>::max() - available_,
                  "a Semaphore was given more permits than can be counted");
    available_ += n;
    if (!waiters_.empty()) ServeWaiters();
  }

  // Ends current and later waits with Unavailable. Held permits stay valid.
  void Close();

  bool closed() const {
    CheckThread();
    return closed_;
  }
  size_t available() const {
    CheckThread();
    return available_;
  }

 private:
  friend class SemaphorePermit;

  void CheckThread() const { owner_.CheckOrGone("a Semaphore or Mutex"); }
  bool CanTake(size_t n) const {
    return n <= available_ && waiters_.empty() && !closed_;
  }
  void ServeWaiters();

  size_t available_;
  bool closed_ = false;
  OwnerThread owner_ = OwnerThread::Unbound();
  internal::WaitLine<AcquireOp> waiters_;
  IntrusiveList<SemaphorePermit> held_;
};

inline void SemaphorePermit::Hold(Semaphore& semaphore, size_t count) {
  semaphore_ = &semaphore;
  count_ = count;
  semaphore.held_.PushBack(*this);
}

inline void SemaphorePermit::Forget() {
  if (count_ == 0) return;
  semaphore_->CheckThread();
  LetGo();
}

inline void SemaphorePermit::LetGo() {
  Unlink();
  semaphore_ = nullptr;
  count_ = 0;
}

inline void SemaphorePermit::Release() {
  if (count_ == 0) return;
  Semaphore& semaphore = *semaphore_;
  const size_t count = count_;
  LetGo();
  semaphore.Release(count);
}

inline void SemaphorePermit::TakeOver(SemaphorePermit& other) {
  if (other.count_ == 0) return;
  Hold(*other.semaphore_, other.count_);
  other.LetGo();
}

inline SemaphorePermit& SemaphorePermit::operator=(
    SemaphorePermit&& other) noexcept {
  if (this != &other) {
    Release();
    TakeOver(other);
  }
  return *this;
}

inline internal::WaitEnd Semaphore::AcquireOp::Begin() {
  if (semaphore_.CanTake(n_)) {
    semaphore_.available_ -= n_;
    permit_.Hold(semaphore_, n_);
    return internal::WaitEnd::kServed;
  }
  if (semaphore_.closed_) return internal::WaitEnd::kClosed;
  semaphore_.waiters_.Join(*this);
  return internal::WaitEnd::kWaiting;
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_SYNC_SEMAPHORE_H_
