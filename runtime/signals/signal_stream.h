// SPDX-License-Identifier: Apache-2.0
//
// SignalStream: signals as something that tasks wait for, on any worker.
//
//   absl::StatusOr<SignalStream> signals =
//       SignalStream::Open({SIGHUP, SIGUSR1});
//   if (!signals.ok()) co_return signals.status();
//   while (true) {
//     absl::StatusOr<Signal> signal = co_await signals->Next();
//     if (!signal.ok()) co_return signal.status();
//     if (signal->number == SIGHUP) co_await Reload();
//     ...
//   }
//
// Each stream gets every signal, however many streams there are for it. While
// one is open the signal does nothing else: SIGINT and SIGTERM no longer end
// the program, unless it is in RunUntilSignal(), which gets them as well.
// Children are waited for with Process::Wait(), not by SIGCHLD.

#ifndef RINGWAY_RUNTIME_SIGNALS_SIGNAL_STREAM_H_
#define RINGWAY_RUNTIME_SIGNALS_SIGNAL_STREAM_H_

#include <signal.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/wait.h"

namespace ringway {

namespace internal {
class SignalSubscription;
}  // namespace internal

struct Signal {
  int number = 0;
  // How many more of the same number it stands for, which came before it was
  // taken from the stream. The kernel counts none: it drops a standard signal
  // while an equal one is on its way to a thread.
  uint64_t merged = 0;
  // The process that sent the last of them; 0 if it came from the kernel, such
  // as for a key of the terminal.
  pid_t sender = 0;

  friend bool operator==(const Signal&, const Signal&) = default;
};

// Belongs to the executor that it was opened for, and may outlive it; the
// executor's end closes it. In a forked child it is the parent's: its calls
// abort, and its destructor does nothing. A child without an exec has the
// signals as they were before, and may open streams of its own.
//
// No task may wait for it when it is destroyed (checked).
//
// Threads: the executor's only (checked).
class [[nodiscard]] SignalStream {
 public:
  class [[nodiscard]] NextOp;

  // Gets the signals of `numbers` from now on. Another handler is replaced
  // until the last stream for its signal is closed; the disposition must not be
  // changed meanwhile. The thread's mask stays as it is: a signal that is
  // blocked in all threads comes as well, one that is pending at once.
  //
  // An ignored signal is taken over, except for SIGHUP, SIGINT, SIGQUIT and
  // SIGTERM: nohup(1) and shells start programs with some of these ignored, so
  // that they are not ended. These stay ignored, which is no error: they do not
  // come (IsIgnored()). A program that wants one nevertheless makes it SIG_DFL
  // first.
  //
  // Errors:  InvalidArgument with the name of a signal that cannot be waited
  //          for: SIGKILL, SIGSTOP, and those that a thread causes by itself
  //          (SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP).
  //          ResourceExhausted: no thread can be started.
  // Threads: `executor`'s only (checked), inside of it or not.
  // Cost:    all streams of a process share one thread, which the first starts
  //          and the last ends, and use no fd.
  static absl::StatusOr<SignalStream> Open(absl::Span<const int> numbers,
                                           Executor& executor);
  // For the executor that this thread runs. Aborts if there is none.
  static absl::StatusOr<SignalStream> Open(absl::Span<const int> numbers);

  SignalStream(SignalStream&& other) noexcept;
  SignalStream& operator=(SignalStream&& other) noexcept;
  // Restores the dispositions that no other stream needs.
  ~SignalStream();

  // Waits for the next signal; at once if some have come since the last call.
  // Those are kept as one number each, so that none is lost and none takes
  // memory, and the numbers have their turns. One task at a time (checked).
  //
  // Errors:       Cancelled; no signal is lost. FailedPrecondition for a stream
  //               that was moved from, or whose executor has ended.
  // Ownership:    the stream must outlive the await; it may be moved.
  // Cancellation: ends the wait.
  // Cost:         no allocation.
  NextOp Next();

  // True if `number` is one of the signals that were ignored when the stream
  // was opened, and stay so.
  bool IsIgnored(int number) const;

 private:
  explicit SignalStream(
      std::unique_ptr<internal::SignalSubscription> subscription);
  void Close();

  std::unique_ptr<internal::SignalSubscription> subscription_;
};

class [[nodiscard]] SignalStream::NextOp : public internal::Wait<NextOp> {
 public:
  ~NextOp() { LeaveIfWaiting(); }

  absl::StatusOr<Signal> await_resume() const;

 private:
  friend class SignalStream;
  friend class internal::SignalSubscription;
  friend class internal::Wait<NextOp>;
  explicit NextOp(internal::SignalSubscription* subscription);

  static std::string Describe(const Suspension& suspension);
  internal::WaitEnd Admit();
  internal::WaitEnd Begin();
  bool Leave();

  internal::SignalSubscription* const subscription_;
  const Unusable unusable_;
  Signal signal_;
};

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_SIGNALS_SIGNAL_STREAM_H_
