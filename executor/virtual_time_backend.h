// SPDX-License-Identifier: Apache-2.0
//
// VirtualTimeBackend: a backend for tests of the task layer, without a kernel.
//
// Its clock stands still while anything can run and jumps to the next deadline
// when nothing can, so a test of an hour's sleep takes no time and has one
// outcome. A nop completes at once, every other operation only by being
// cancelled. Waiting for what can never happen aborts with a message instead of
// hanging the test.

#ifndef RINGWAY_EXECUTOR_VIRTUAL_TIME_BACKEND_H_
#define RINGWAY_EXECUTOR_VIRTUAL_TIME_BACKEND_H_

#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>

#include "backends/backend.h"
#include "backends/cancel_in.h"
#include "core/check.h"
#include "core/clock.h"
#include "executor/executor.h"
#include "executor/loop.h"

namespace ringway {

class VirtualTimeBackend final : public Backend {
 public:
  // Not at zero: a test that confuses an instant with a duration should fail.
  VirtualTimeBackend()
      : clock_(MonotonicTime::FromNanoseconds(1'000'000'000)) {}

  void Submit(OperationList& pending, RunnableList& done) override {
    while (Operation* op = pending.PopFront()) {
      ++stats_.submitted;
      ++stats_.in_flight;
      if (op->opcode == OpCode::kNop) {
        Finish(*op, 0, done);
      } else {
        op->state = OpState::kInFlight;
        in_flight_.PushBack(*op);
      }
    }
  }

  void Wait(MonotonicTime deadline, RunnableList& done) override {
    if (!done.empty() || deadline <= clock_.Now()) return;
    RINGWAY_CHECK(!deadline.is_infinite(),
                  "everybody waits for something that can never happen");
    ++stats_.waits;
    clock_.AdvanceTo(deadline);
  }

  CancelOutcome Cancel(Operation& op, RunnableList& done) override {
    if (!op.active()) return CancelOutcome::kNotFound;
    const bool queued = op.state == OpState::kQueued;
    if (queued) ++stats_.in_flight;
    op.Unlink();
    Finish(op, -ECANCELED, done);
    return queued ? CancelOutcome::kNotStarted : CancelOutcome::kRequested;
  }

  size_t CancelFd(int fd, RunnableList& done) override {
    return CancelIn(in_flight_, fd, *this, done);
  }
  size_t CancelAll(RunnableList& done) override {
    return CancelFd(kAnyFd, done);
  }
  void Quiesce(RunnableList& done) override { CancelAll(done); }

  void Notify() override {}
  bool TakeEvent(MultishotOperation&, MultishotEvent&) override {
    return false;
  }
  void DropEvents(MultishotOperation&) override {}
  void ReturnBuffer(uint16_t) override {}
  int PollableFd() const override { return -1; }
  Support support(OpCode opcode) const override {
    return opcode == OpCode::kNop ? Support::kNative : Support::kUnimplemented;
  }
  const Clock& clock() const override { return clock_; }
  BackendStats stats() const override { return stats_; }
  std::string_view name() const override { return "virtual time"; }
  std::string_view description() const override { return "virtual time"; }

  // As if the thread had been busy for so long.
  void Advance(absl::Duration d) { clock_.Advance(d); }

 private:
  void Finish(Operation& op, int32_t result, RunnableList& done) {
    op.result = result;
    op.state = OpState::kDone;
    ++stats_.completed;
    --stats_.in_flight;
    done.PushBack(op);
  }

  ManualClock clock_;
  OperationList in_flight_;
  BackendStats stats_;
};

// An executor in virtual time, and its parts.
struct VirtualTimeExecutor {
  explicit VirtualTimeExecutor(
      const ExecutorOptions& options = ExecutorOptions()) {
    auto made = std::make_unique<VirtualTimeBackend>();
    backend = made.get();
    executor = std::make_unique<Executor>(
        std::make_unique<Loop>(std::move(made), options.loop.ready_budget),
        options);
  }

  Executor* operator->() { return executor.get(); }
  MonotonicTime Now() const { return backend->clock().Now(); }

  VirtualTimeBackend* backend;
  std::unique_ptr<Executor> executor;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_VIRTUAL_TIME_BACKEND_H_
