// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/loop_runner.h"

namespace ringway {
namespace {

constexpr MonotonicTime kPast = MonotonicTime::FromNanoseconds(0);

}  // namespace

// Marks the runner as running, and resets it also if an entry throws.
class LoopRunner::Scope {
 public:
  explicit Scope(LoopRunner& runner) : runner_(runner) {
    runner_.running_ = true;
    runner_.stopped_ = false;
  }
  ~Scope() { runner_.running_ = false; }

 private:
  LoopRunner& runner_;
};

absl::Status LoopRunner::Run(RunMode mode) {
  if (running_)
    return absl::FailedPreconditionError("Run() inside another Run()");
  Scope scope(*this);
  switch (mode) {
    case RunMode::kOnce:
      TurnUntil([this, before = loop_.stats().ready_run] {
        return !loop_.alive() || loop_.stats().ready_run > before;
      });
      break;
    case RunMode::kUntilDone:
      TurnUntil([this] { return !loop_.alive(); });
      break;
    case RunMode::kForever:
      TurnUntil([] { return false; });
      break;
    case RunMode::kNoWait:
      TurnWithoutWaiting();
      break;
  }
  return absl::OkStatus();
}

absl::Status LoopRunner::RunFor(absl::Duration duration) {
  if (running_)
    return absl::FailedPreconditionError("RunFor() inside another Run()");
  if (duration <= absl::ZeroDuration()) return Run(RunMode::kNoWait);
  Scope scope(*this);
  const Clock& clock = loop_.backend().clock();
  const MonotonicTime end = clock.Now() + duration;
  while (!stopped_ && clock.Now() < end) loop_.Turn(end);
  return absl::OkStatus();
}

void LoopRunner::Stop() {
  loop_.EndWait();  // checks the thread
  stopped_ = true;
}

// Checks between the halves of a turn, so that it does not wait after the
// condition has come true.
void LoopRunner::TurnUntil(absl::FunctionRef<bool()> reached) {
  while (true) {
    loop_.Work();
    if (stopped_ || reached()) break;
    loop_.Wait(MonotonicTime::Infinite());
  }
  loop_.Wait(kPast);  // submits operations that the last entries started
}

// A turn collects at its end the entries that the next one runs.
void LoopRunner::TurnWithoutWaiting() {
  loop_.Turn(kPast);
  if (!stopped_) loop_.Turn(kPast);
}

}  // namespace ringway
