// SPDX-License-Identifier: Apache-2.0
//
// StallDetector: a thread that watches loops and reports one that has been in
// one turn for too long while it still is, with the task that runs and the
// stack of the loop's thread.
//
//   ringway::StallDetectorOptions options;
//   options.budget = absl::Milliseconds(50);
//   absl::StatusOr<std::unique_ptr<ringway::StallDetector>> detector =
//       ringway::StallDetector::Create(options);
//   ...
//   ringway::StallDetector::Watch watch =
//       (*detector)->Attach(executor, "worker 0");  // on its thread
//
// An OverrunWatch names such a task after it has ended, and costs nothing;
// this also finds one that never ends, and the line that it is at. Watched
// loops pay nothing for it: the detector reads Loop::activity() four times
// per budget. It wakes for that also while the loops are idle.
//
// The stack is taken by a signal to the stalled thread, SIGURG by default:
// nothing that sends it unasked is common, gdb passes it on in silence, and by
// default it is ignored, so one that comes late does no harm. The handler has
// SA_RESTART: a system call that the task is blocked in continues. Linux
// restarts no sleep (nanosleep(2) ...), poll(2), epoll_wait(2) and the others
// that signal(7) lists: they return EINTR.

#ifndef RINGWAY_EXECUTOR_DIAGNOSTICS_STALL_DETECTOR_H_
#define RINGWAY_EXECUTOR_DIAGNOSTICS_STALL_DETECTOR_H_

#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/executor.h"

namespace ringway {

struct StallReport {
  std::string loop;  // as it was attached
  // What the running task was spawned with; empty if that was nothing, or if
  // no task runs.
  std::string task;
  absl::Duration duration;  // so far, and at least
  // One line for each frame, innermost first. Empty if the stall ended just
  // then, or if the thread did not answer: it is in an uninterruptible system
  // call, or has blocked the signal.
  std::string stack;
};

// The lines that go to stderr by default.
std::string FormatStall(const StallReport& report);

struct StallDetectorOptions {
  StallDetectorOptions() {}

  // How long a turn may last, 1 ms to an hour. A stall is reported when it has
  // lasted for one to one and a quarter of it.
  absl::Duration budget = absl::Milliseconds(100);

  // Receives each report, on the detector's thread, which meanwhile watches
  // nothing. By default it is printed on stderr. Must not throw, nor use the
  // detector.
  std::function<void(const StallReport&)> on_stall;

  // The signal that takes the stack: one that the program does not use.
  int signal = SIGURG;
};

// InvalidArgument with the option and its limits if one is out of range.
absl::Status CheckStallDetectorOptions(const StallDetectorOptions& options);

// A forked child has no such thread: nothing is watched there, and the
// destructors do nothing.
class StallDetector {
 public:
  // Keeps a loop watched for as long as it lives.
  //
  // Threads: that of the loop (checked).
  class Watch {
   public:
    Watch();  // watches nothing
    Watch(Watch&& other) noexcept;
    Watch& operator=(Watch&& other) noexcept;
    // Waits for a report of this loop that is being made, but not for
    // on_stall.
    ~Watch();

   private:
    friend class StallDetector;
    class Impl;
    explicit Watch(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
  };

  // Starts the thread, and installs the handler of the signal.
  //
  // Errors: InvalidArgument; FailedPrecondition if the program has a handler
  //         for the signal; ResourceExhausted if no thread can be started.
  static absl::StatusOr<std::unique_ptr<StallDetector>> Create(
      const StallDetectorOptions& options = StallDetectorOptions());

  StallDetector(const StallDetector&) = delete;
  StallDetector& operator=(const StallDetector&) = delete;
  // Ends the thread, after a report that is being made, and restores what was
  // done for the signal before. Nothing must be watched any more (checked).
  ~StallDetector();

  // Watches an executor, or a loop that has none and so runs no tasks. Both it
  // and the detector must outlive the Watch.
  //
  // Threads: the loop's only (checked).
  [[nodiscard]] Watch Attach(Executor& executor, std::string name);
  [[nodiscard]] Watch Attach(Loop& loop, std::string name);

  // The stalls reported so far. Threads: any.
  uint64_t stalls() const;

 private:
  class Impl;
  explicit StallDetector(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_DIAGNOSTICS_STALL_DETECTOR_H_
