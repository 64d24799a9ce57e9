// SPDX-License-Identifier: Apache-2.0
//
// EndSignals: SIGINT and SIGTERM as something a thread can wait for, together
// with the ends of workers.
//
// By handlers, not by a blocked mask and sigtimedwait(2): the mask of a thread
// is passed on to the threads and the programs it starts, and a program that
// begins with SIGTERM blocked cannot be ended. A handler is no longer there
// after an exec. What the two wake is a semaphore: posting one is allowed in a
// handler, and making it takes no fd.

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
  // Puts back what Install() has changed.
  ~EndSignals();

  // From now on the two signals are counted. One that is ignored stays ignored,
  // as nohup(1) and shells want it; another handler is replaced meanwhile. The
  // calling thread no longer blocks them: one that was pending counts.
  //
  // A child forked meanwhile that does not exec gets them as before Install().
  //
  // Errors: FailedPrecondition while another one is installed.
  absl::Status Install();

  // How many signals have come since Install(). Any thread.
  uint32_t count() const;

  // Waits for a signal, a Wake() or `deadline`. May return with nothing.
  void WaitUntil(MonotonicTime deadline);

  // Ends a wait, or the next. Any thread, signal handlers included; does no
  // harm where nothing is installed.
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
