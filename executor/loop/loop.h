// SPDX-License-Identifier: Apache-2.0
//
// Loop: one thread's event loop over a backend. The coroutine Executor and the
// callback Ring are two front ends of it.
//
// A turn is: drain the inbox, expire timers, run ready entries (within a
// budget), submit, wait if there is nothing to do, collect completions. All
// operations started in a turn go to the kernel in one system call, which
// also waits. An idle loop has no tick and does not wake without an event.

#ifndef RINGWAY_EXECUTOR_LOOP_LOOP_H_
#define RINGWAY_EXECUTOR_LOOP_LOOP_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/operation.h"
#include "ringway/core/check.h"
#include "ringway/core/owner_thread.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/timer_wheel.h"
#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/loop/ready_shuffler.h"
#include "ringway/executor/loop/spinner.h"

namespace ringway {

class TraceRecorder;

// Upper limit of the task limits of executors and rings; more than fits into
// memory.
inline constexpr size_t kMostTasks = size_t{1} << 30;

// Upper limit of LoopOptions::ready_budget.
inline constexpr uint32_t kLargestReadyBudget = uint32_t{1} << 30;

struct LoopOptions {
  LoopOptions() {}

  BackendOptions backend;

  // The most ready entries run in a turn before I/O is checked again; 1 to
  // kLargestReadyBudget.
  uint32_t ready_budget = 512;

  // Whether the loop spins before it blocks, and for how long at most: more
  // than 0, up to 1 ms. Has no effect on a backend that cannot see
  // completions without a system call (Backend::can_peek()).
  // docs/benchmarks.md has its cost and gain.
  SpinMode spin = SpinMode::kAdaptive;
  absl::Duration spin_limit = absl::Microseconds(50);

  // For tests: if not 0, ready entries run in a random order with this seed
  // (ready_shuffler.h). If it is 0, RINGWAY_SHUFFLE_SEED sets it.
  uint64_t shuffle_seed = 0;
};

// InvalidArgument with the option and its limits if one is out of range. Does
// not check the backend's options; MakeBackend() does.
absl::Status CheckLoopOptions(const LoopOptions& options);

struct LoopStats {
  uint64_t turns = 0;
  uint64_t ready_run = 0;  // ready entries run
  uint64_t timers_fired = 0;
  uint64_t messages = 0;          // received from other threads
  uint64_t post_exceptions = 0;   // thrown by these and by Post()ed functions
  uint64_t budget_exhausted = 0;  // turns that left ready entries for the next
  uint64_t spins_paid = 0;        // spins that ended without blocking
  uint64_t spins_unpaid = 0;      // spins after which the loop blocked
  uint64_t buffers_lent = 0;      // currently
  BackendStats backend;
};

// A timer that schedules a Runnable when it fires, unless that is scheduled
// already: a timer re-armed before its Runnable has run schedules it once.
// Must not be armed when it is destroyed or the loop ends (checked).
struct LoopTimer : Timer {
  Runnable* on_fired = nullptr;  // must be set before it is armed
};

// A dependent with operations of its own, such as a closing stream, that must
// exist until the kernel has completed them. Once adopted, it is deleted when
// none of its operations is active.
class Orphan : public LoopDependent {
 public:
  using LoopDependent::LoopDependent;
  ~Orphan() override = default;
};

class LentBuffer;

// Threads: unless stated otherwise, the loop's only (checked).
class Loop {
 public:
  // Makes a loop for the calling thread, with a backend made by MakeBackend().
  static absl::StatusOr<std::unique_ptr<Loop>> Create(
      const LoopOptions& options);

  // Takes an existing backend, which must belong to the calling thread.
  // `options` must be valid (checked); their backend options are ignored.
  explicit Loop(std::unique_ptr<Backend> backend,
                const LoopOptions& options = LoopOptions());

  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Calls Quiesce(), reclaims lent buffers, empties its dependents
  // (loop_dependent.h) and deletes adopted orphans. Messages not yet received
  // are refused.
  ~Loop();

  // Aborts with the name `what`, an object of this loop, unless called on its
  // thread.
  //
  // Threads: any.
  void CheckThread(const char* what) const { owner_.Check(what); }
  // Threads: any.
  bool IsOnItsThread() const { return owner_.IsCurrent(); }
  // True in a child that was forked after the loop was made.
  bool forked() const { return owner_.forked(); }

  // Queues `op`, which must be prepared and not active, for the end of this
  // turn. Its function runs in a later turn, never from inside this call.
  //
  // Cost: no allocation, no system call.
  void Start(Operation& op) {
    owner_.Check("a loop");
    RINGWAY_CHECK(!op.active(), "a %s operation was started twice",
                  OpCodeName(op.opcode));
    op.state = OpState::kQueued;
    pending_.PushBack(op);
  }

  // Requests that an operation end early; see CancelOutcome.
  CancelOutcome Cancel(Operation& op) {
    owner_.Check("a loop");
    return backend_->Cancel(op, ready_);
  }

  // Cancel() for every operation on `fd`, in either direction, or for all
  // operations. Returns their number. Cost: one pass over the active
  // operations.
  size_t CancelFd(int fd);
  size_t CancelAll();

  // Runs `entry` in this turn or the next, after all entries that are ready
  // already.
  void Schedule(Runnable& entry) {
    owner_.Check("a loop");
    ready_.PushBack(entry);
  }

  // Fires `timer` at `deadline`, never before. Re-arms it if it is armed. O(1).
  void ArmTimer(LoopTimer& timer, MonotonicTime deadline) {
    owner_.Check("a loop");
    timers_.Arm(timer, deadline);
  }
  // False if it was not armed (it may have fired: its Runnable is then
  // scheduled or has run).
  bool DisarmTimer(LoopTimer& timer) {
    owner_.Check("a loop");
    return timers_.Disarm(timer);
  }

  // Takes ownership of an object whose operations are still in flight when
  // its owner drops it. Bury() or the end of the loop deletes it.
  void Adopt(std::unique_ptr<Orphan> orphan);
  // Deletes an adopted object.
  void Bury(Orphan& orphan);

  // One turn: Work(), then Wait(). Code that makes the caller's condition
  // true inside the turn must call EndWait(), otherwise the turn may block.
  void Turn(MonotonicTime wait_until);

  // The first half of a turn: drains the inbox, expires timers, runs ready
  // entries. For callers that check the outcome before they wait. Returns the
  // number of ready entries run. Propagates the exception of a ready entry;
  // the remaining ones run in the next Work(). Exceptions of the inbox's
  // functions do not propagate.
  uint32_t Work();
  // The second half: submits and, if there is nothing to do, blocks until a
  // completion, a timer, a message or `wait_until`. With a past `wait_until`
  // it never blocks.
  void Wait(MonotonicTime wait_until);

  // Leaves the remaining ready entries to the next turn, for an entry that
  // has run so long that I/O must be checked.
  void EndWork() {
    owner_.Check("a loop");
    ready_left_ = 0;
  }

  // Keeps the current turn from blocking, because the condition that the
  // loop's caller waits for has become true.
  void EndWait() {
    owner_.Check("a loop");
    wait_ended_ = true;
  }

  // Cancels every operation and blocks until all have ended, then drops the
  // ready entries without running them. Waiting objects can be destroyed
  // afterwards.
  void Quiesce();

  // The time at the start of this turn.
  MonotonicTime now() const {
    owner_.Check("a loop");
    return now_;
  }

  // True while operations, ready entries or timers are outstanding.
  bool alive() const;

  // When a turn is due without further events: in the past if something is
  // queued or ready, else at the first timer, or never. For callers that turn
  // the loop only when its backend's PollableFd() is readable.
  MonotonicTime NextTurn() const;

  // Threads: any while the loop lives; the backend is for the loop's only.
  Backend& backend() { return *backend_; }
  // Threads: any while the loop lives.
  const std::shared_ptr<Inbox>& inbox() const { return inbox_; }
  LoopStats stats() const;

  // Odd while Work() runs, even otherwise; grows by one each time that this
  // changes. One value for long means one turn for long (stall_detector.h).
  //
  // Threads: any while the loop lives, and signal handlers.
  uint64_t activity() const {
    return activity_.load(std::memory_order_relaxed);
  }

  // Records turns and operations in `recorder`, which must outlive the loop
  // or be replaced first; null, the default: records nothing. An executor
  // does more (Executor::SetTrace).
  void SetTrace(TraceRecorder* recorder);

 private:
  class WorkScope;
  friend class LoopDependent;
  friend class LentBuffer;

  void EmptyDependents();
  void ExpireTimers();
  uint32_t WorkTraced();
  template <bool traced>
  uint32_t RunReady();
  void Sleep(MonotonicTime until);
  bool Spin(MonotonicTime until);
  void ForgetInChild();

  const OwnerThread owner_;
  const uint32_t ready_budget_;
  std::unique_ptr<Backend> backend_;
  std::shared_ptr<Inbox> inbox_;
  MonotonicTime now_;
  TimerWheel timers_;
  IntrusiveList<LentBuffer> lent_;
  uint64_t n_lent_ = 0;
  IntrusiveList<LoopDependent> dependents_;
  IntrusiveList<Orphan> orphans_;
  OperationList pending_;
  RunnableList ready_;
  uint32_t ready_left_ = 0;                  // entries this turn may still run
  std::unique_ptr<ReadyShuffler> shuffler_;  // null: FIFO order
  bool wait_ended_ = false;  // EndWait() was called in this turn
  Spinner spinner_;
  TraceRecorder* trace_ = nullptr;
  std::atomic<uint64_t> activity_{0};
  LoopStats stats_;  // without `turns`: activity_ counts them
};

inline Unusable LoopDependent::WhyUnusable(const LoopDependent* object,
                                           const char* what) {
  if (object == nullptr) return Unusable::kEmpty;
  if (object->loop_ == nullptr) return Unusable::kLoopEnded;
  object->loop_->CheckThread(what);
  return Unusable::kNo;
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_LOOP_LOOP_H_
