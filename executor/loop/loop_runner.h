// SPDX-License-Identifier: Apache-2.0
//
// LoopRunner: turns a loop once, until nothing is left to do, for some time,
// or forever, and in each case until Stop().
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
  kOnce,       // until a turn has run an entry; waits for one
  kUntilDone,  // until no operation, timer or ready entry is left
  kForever,    // until Stop()
  kNoWait,     // runs what is ready, without blocking
};

class LoopRunner {
 public:
  // `loop` must outlive the runner.
  explicit LoopRunner(Loop& loop) : loop_(loop) {}
  LoopRunner(const LoopRunner&) = delete;
  LoopRunner& operator=(const LoopRunner&) = delete;

  // Turns the loop according to `mode`. With nothing to do, kOnce and
  // kUntilDone return at once. Propagates the exception of a ready entry
  // (Loop::Work()); another Run() continues after that entry.
  //
  // Errors:  FailedPrecondition inside another Run() of this runner.
  // Threads: the loop's only (checked).
  absl::Status Run(RunMode mode);

  // Turns the loop for `duration`; zero or less is kNoWait.
  absl::Status RunFor(absl::Duration duration);

  // Ends the current Run() after the current turn. For functions that the
  // loop runs; from another thread, Post() one. Does nothing outside a Run().
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
