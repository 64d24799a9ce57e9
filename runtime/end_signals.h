// SPDX-License-Identifier: Apache-2.0
//
// EndSignals: lets a thread wait for SIGINT, SIGTERM or the end of a worker.
// It needs neither another thread nor an fd. A SignalStream for one of the two
// gets it as well.

#ifndef RINGWAY_RUNTIME_END_SIGNALS_H_
#define RINGWAY_RUNTIME_END_SIGNALS_H_

#include <signal.h>

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/runtime/signals/handled_signal.h"

namespace ringway::internal {

class EndSignals {
 public:
  EndSignals() = default;
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  // Restores what Install() has changed.
  ~EndSignals();

  // Starts counting the two signals. An ignored signal stays ignored, as
  // nohup(1) and shells expect; another handler is replaced until destruction.
  // Unblocks the signals in the calling thread; a pending one counts.
  //
  // In a child forked in between without an exec, they act as before Install().
  //
  // Errors: FailedPrecondition while another one is installed.
  absl::Status Install();

  // How many signals have come since Install(). Any thread.
  uint64_t count() const;

  // Waits for a signal, a Wake() or `deadline`. May return with nothing.
  void WaitUntil(MonotonicTime deadline);

  // Ends the current wait, or the next. May be called from any thread and from
  // signal handlers.
  static void Wake();

 private:
  std::optional<HandledSignal> interrupt_;  // while installed, as below
  std::optional<HandledSignal> terminate_;
  uint32_t rings_seen_ = 0;
  sigset_t mask_before_{};
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_END_SIGNALS_H_
