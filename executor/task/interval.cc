// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/interval.h"

#include <utility>

#include "ringway/core/check.h"
#include "ringway/executor/task/executor.h"

namespace ringway {
namespace {

Loop& LoopOfThisThread() {
  Executor* executor = Executor::Current();
  RINGWAY_CHECK(executor != nullptr,
                "an Interval outside of a running executor");
  return executor->loop();
}

}  // namespace

Interval::Interval(absl::Duration period)
    : LoopDependent(LoopOfThisThread()),
      loop_(Executor::Current()->loop()),
      period_(period) {
  RINGWAY_CHECK(period >= absl::Nanoseconds(1),
                "an Interval needs a period of at least a nanosecond");
  next_ = Now() + period_;
}

Interval::~Interval() {
  CheckDestroyed("an Interval");
  RINGWAY_CHECK(!timer_.armed(),
                "an Interval was destroyed while a task waits for its tick");
}

void Interval::Reset() {
  CheckUsable(this, "an Interval");
  next_ = Now() + period_;
  if (timer_.armed()) loop_.ArmTimer(timer_, next_);
}

uint64_t Interval::TakeTick() {
  const absl::Duration late = Now() - next_;
  // Reset() was called after the tick had fired.
  if (late < absl::ZeroDuration()) return 0;
  absl::Duration since_last_due;
  const int64_t missed = absl::IDivDuration(late, period_, &since_last_due);
  next_ = next_ + (missed + 1) * period_;
  return static_cast<uint64_t>(missed);
}

internal::WaitEnd Interval::TickOp::Admit() {
  if (unusable_ != Unusable::kNo) return internal::WaitEnd::kUnusable;
  interval_.CheckAwaitedOn(task().loop(), "an Interval");
  RINGWAY_CHECK(!interval_.awaited_, "two tasks await one Interval");
  return internal::WaitEnd::kWaiting;
}

internal::WaitEnd Interval::TickOp::Begin() {
  interval_.awaited_ = true;
  interval_.timer_.on_fired = &task();
  task().loop().ArmTimer(interval_.timer_, interval_.next_);
  return internal::WaitEnd::kWaiting;
}

// False once the tick has come.
bool Interval::TickOp::Leave() {
  const bool early = task().loop().DisarmTimer(interval_.timer_);
  if (early) interval_.awaited_ = false;
  return early;
}

absl::StatusOr<uint64_t> Interval::TickOp::await_resume() {
  if (unusable_ != Unusable::kNo) return UnusableStatus(unusable_, "Interval");
  if (cancelled()) return CancelledStatus();
  Finish(internal::WaitEnd::kServed);
  interval_.awaited_ = false;
  return interval_.TakeTick();
}

}  // namespace ringway
