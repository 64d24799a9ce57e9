// SPDX-License-Identifier: Apache-2.0
//
// LoopRunner: turns a loop until something is reached - once, until nothing is
// left to do, for a while, for ever - or until somebody says Stop().
//
//   LoopRunner runner(loop);
//   absl::Status ended = runner.Run(RunMode::kUntilDone);

#ifndef RINGWAY_EXECUTOR_LOOP_LOOP_RUNNER_H_
#define RINGWAY_EXECUTOR_LOOP_LOOP_RUNNER_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/executor/loop/loop.h"

namespace ringway {

enum class RunMode : uint8_t {
  kOnce,       // until a turn has run something; waits for it
  kUntilDone,  // until no operation, timer or ready entry is left
  kForever,    // until Stop()
  kNoWait,     // what can be done now, without ever blocking
};

class LoopRunner {
 public:
  // `loop` must outlive the runner.
  explicit LoopRunner(Loop& loop) : loop_(loop) {}
  LoopRunner(const LoopRunner&) = delete;
  LoopRunner& operator=(const LoopRunner&) = delete;

  // Turns the loop as `mode` says. With nothing to do, kOnce and kUntilDone
  // return at once. Throws what a ready entry throws (Loop::Work()); another
  // Run() goes on behind it.
  //
  // Errors:  FailedPrecondition inside another Run() of this runner.
  // Threads: the loop's only (checked).
  absl::Status Run(RunMode mode);

  // Turns the loop for `duration`; zero or less is kNoWait.
  absl::Status RunFor(absl::Duration duration);

  // Ends the Run() that is under way after the present turn. For functions that
  // the loop runs; from another thread, Post() one. Without a Run() it does
  // nothing.
  void Stop();

 private:
  class Scope;

  void TurnUntil(absl::FunctionRef<bool()> reached);
  void TurnWithoutWaiting();

  Loop& loop_;
  bool running_ = false;
  bool stopped_ = false;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_LOOP_LOOP_RUNNER_H_
