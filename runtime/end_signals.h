// SPDX-License-Identifier: Apache-2.0
//
// EndSignals: lets a thread wait for SIGINT, SIGTERM or the end of a worker.
//
// It uses handlers, not a blocked mask and sigtimedwait(2): threads and
// programs inherit the mask of the thread that starts them, and a program
// that starts with SIGTERM blocked cannot be ended. Handlers are reset by
// exec. The wait is on a semaphore: handlers may post one, and it needs no
// fd.

#ifndef RINGWAY_RUNTIME_END_SIGNALS_H_
#define RINGWAY_RUNTIME_END_SIGNALS_H_

#include <signal.h>

#include <array>
#include <cstdint>

#include "absl/status/status.h"
#include "ringway/core/time/monotonic_time.h"

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
  uint32_t count() const;

  // Waits for a signal, a Wake() or `deadline`. May return with nothing.
  void WaitUntil(MonotonicTime deadline);

  // Ends the current wait, or the next. May be called from any thread and from
  // signal handlers; does nothing if none is installed.
  static void Wake();

 private:
  static constexpr std::array<int, 2> kSignals = {SIGINT, SIGTERM};

  static void OnSignal(int number);

  bool installed_ = false;
  std::array<bool, kSignals.size()> handled_{};
  sigset_t mask_before_{};
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_END_SIGNALS_H_
