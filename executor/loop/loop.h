// SPDX-License-Identifier: Apache-2.0
//
// Loop: one thread's event loop over a backend. The coroutine Executor and the
// callback Ring are two front ends of it.
//
// A turn is: drain the inbox, expire timers, run what is ready (within a
// budget), submit, wait if there is nothing to do, collect. Everything a turn
// started goes to the kernel in one system call, which is also the one that
// waits. An idle loop has no tick and is never woken without a cause.

#ifndef RINGWAY_EXECUTOR_LOOP_LOOP_H_
#define RINGWAY_EXECUTOR_LOOP_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/operation.h"
#include "ringway/core/owner_thread.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/timer_wheel.h"
#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/loop/ready_shuffler.h"
#include "ringway/executor/loop/spinner.h"

namespace ringway {

// The most tasks that an executor or a ring may be told to hold: far beyond
// what any memory does.
inline constexpr size_t kMostTasks = size_t{1} << 30;

// The most ready entries that a turn may be told to run.
inline constexpr uint32_t kLargestReadyBudget = uint32_t{1} << 30;

struct LoopOptions {
  LoopOptions() {}

  BackendOptions backend;

  // Ready entries run per turn before I/O gets its turn again; 1 to
  // kLargestReadyBudget.
  uint32_t ready_budget = 512;

  // Whether the loop looks on for a moment before it blocks, and how long at
  // most: more than 0, up to 1 ms. Does nothing on a backend that cannot see
  // completions without a system call (Backend::can_peek()). What it costs and
  // gains: docs/benchmarks.md.
  SpinMode spin = SpinMode::kAdaptive;
  absl::Duration spin_limit = absl::Microseconds(50);

  // For tests: if not 0, what is ready runs in an order that depends on this
  // (ready_shuffler.h). RINGWAY_SHUFFLE_SEED sets it where it is 0.
  uint64_t shuffle_seed = 0;
};

// InvalidArgument, naming the option and its limits, if one is out of range,
// but for those of the backend, which MakeBackend() checks.
absl::Status CheckLoopOptions(const LoopOptions& options);

struct LoopStats {
  uint64_t turns = 0;
  uint64_t ready_run = 0;  // ready entries run
  uint64_t timers_fired = 0;
  uint64_t messages = 0;          // received from other threads
  uint64_t post_exceptions = 0;   // of these, and of Post()ed functions, threw
  uint64_t budget_exhausted = 0;  // turns that left ready entries for the next
  uint64_t spins_paid = 0;        // waits that ended before they had to block
  uint64_t spins_unpaid = 0;      // that blocked after all
  BackendStats backend;
};

// A timer whose firing schedules a Runnable, unless it is scheduled already: a
// timer that was armed again before its Runnable had run wakes it once. Must
// not be armed when it is destroyed, nor when the loop ends (checked).
struct LoopTimer : Timer {
  Runnable* on_fired = nullptr;  // must be set before it is armed
};

// A dependent with operations of its own, which must live on until the kernel
// is done with them: a stream that is closing, say. Once adopted it is deleted
// when none of its operations is active.
class Orphan : public LoopDependent {
 public:
  using LoopDependent::LoopDependent;
  ~Orphan() override = default;
};

class LentBuffer;

// Threads: that of the loop only, for every function unless it says otherwise
// (checked).
class Loop {
 public:
  // Makes a loop for the calling thread, with a backend made by MakeBackend().
  static absl::StatusOr<std::unique_ptr<Loop>> Create(
      const LoopOptions& options);

  // Takes a ready-made backend, which must belong to the calling thread;
  // `options` must be valid (checked), and what they say of a backend is
  // ignored.
  explicit Loop(std::unique_ptr<Backend> backend,
                const LoopOptions& options = LoopOptions());

  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // As Quiesce(); then takes lent buffers back, tells its dependents, which are
  // empty from then on (loop_dependent.h), and deletes adopted orphans.
  // Messages not yet received are refused.
  ~Loop();

  // Aborts naming `what`, an object of this loop, unless this is its thread.
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
  void Start(Operation& op);

  // Asks for an operation to end early; see CancelOutcome.
  CancelOutcome Cancel(Operation& op) {
    owner_.Check("a loop");
    return backend_->Cancel(op, ready_);
  }

  // Cancel() for every operation on `fd`, in either direction, or for all of
  // them. Returns how many were asked. Cost: one pass over what is active.
  size_t CancelFd(int fd);
  size_t CancelAll();

  // Runs `entry` in this turn or the next, after everything that is ready
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

  // Takes over an object whose owner has gone while operations of its own are
  // still in flight. It is deleted by Bury(), or with the loop.
  void Adopt(std::unique_ptr<Orphan> orphan);
  // Deletes an adopted object.
  void Bury(Orphan& orphan);

  // One turn: Work(), then Wait(). It knows nothing of what its caller waits
  // for: a condition that comes true inside the turn must say so by EndWait().
  void Turn(MonotonicTime wait_until);

  // The first half of a turn: drains the inbox, expires timers, runs what is
  // ready. For callers that look, before they wait, at what has come of it.
  // Returns how many ready entries it ran. Throws what a ready entry throws:
  // that one is lost, and the others have their turn in the next Work(). What
  // the inbox's functions throw stays there.
  uint32_t Work();
  // The second half: submits, and blocks, when there is nothing to do, until a
  // completion, a timer, a message or `wait_until`. A time that has passed
  // never blocks.
  void Wait(MonotonicTime wait_until);

  // Leaves what is still ready to the next turn, for an entry that has taken so
  // long that I/O must get its turn.
  void EndWork() {
    owner_.Check("a loop");
    ready_left_ = 0;
  }

  // Makes the turn that is under way one that never blocks: whoever turns the
  // loop has been given what it was waiting for.
  void EndWait() {
    owner_.Check("a loop");
    wait_ended_ = true;
  }

  // Cancels every operation and blocks until all have ended, then forgets what
  // is ready: nobody is run. What was waiting can be destroyed afterwards.
  void Quiesce();

  // The time at the start of this turn.
  MonotonicTime now() const {
    owner_.Check("a loop");
    return now_;
  }

  // True while operations, ready entries or timers are outstanding.
  bool alive() const;

  // When a turn is due even if nothing happens meanwhile: in the past while
  // something is queued or ready, at the first timer, or never. For who turns
  // the loop only when its backend's PollableFd() says so.
  MonotonicTime NextTurn() const;

  // Threads: any while the loop lives; the backend is for the loop's only.
  Backend& backend() { return *backend_; }
  // Threads: any while the loop lives.
  const std::shared_ptr<Inbox>& inbox() const { return inbox_; }
  LoopStats stats() const;

 private:
  friend class LoopDependent;
  friend class LentBuffer;

  void EmptyDependents();
  void ExpireTimers();
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
  IntrusiveList<LoopDependent> dependents_;
  IntrusiveList<Orphan> orphans_;
  OperationList pending_;
  RunnableList ready_;
  uint32_t ready_left_ = 0;  // entries that this turn may still run
  std::unique_ptr<ReadyShuffler> shuffler_;  // null: first come, first run
  bool wait_ended_ = false;  // EndWait() was called in this turn
  Spinner spinner_;
  LoopStats stats_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_LOOP_LOOP_H_
