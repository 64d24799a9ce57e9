// SPDX-License-Identifier: Apache-2.0
//
// HandledSignal: counts one signal while it lives. Several may count the same
// signal; the first one installs the handler, the last one restores what was
// there before.
//
// It uses handlers, not a blocked mask and sigtimedwait(2) or signalfd(2):
// threads and programs inherit the mask of the thread that starts them, and a
// program that starts with SIGTERM blocked cannot be ended. Handlers are reset
// by exec. All that a handler does is to count and to ring the SignalBell.

#ifndef RINGWAY_RUNTIME_SIGNALS_HANDLED_SIGNAL_H_
#define RINGWAY_RUNTIME_SIGNALS_HANDLED_SIGNAL_H_

#include <sys/types.h>

#include <cstdint>

#include "ringway/core/owner_thread.h"

namespace ringway::internal {

// In a child forked meanwhile without an exec, the signal acts as before, and
// the destructor does nothing.
//
// Threads: any.
class HandledSignal {
 public:
  // Requires that it can be handled: SignalSet::Of().
  //
  // An ignored signal is taken over, except for those that a program inherits
  // ignored to outlive its terminal (SIGHUP, SIGINT, SIGQUIT, SIGTERM): these
  // stay ignored, as nohup(1) and shells expect. Another handler is replaced.
  explicit HandledSignal(int number);
  HandledSignal(const HandledSignal&) = delete;
  HandledSignal& operator=(const HandledSignal&) = delete;
  ~HandledSignal();

  int number() const { return number_; }

  // True if it was left ignored and will not come.
  bool ignored() const { return ignored_; }

  // How often it has come since this was made.
  uint64_t count() const { return ignored_ ? 0 : Total(number_) - before_; }

  // How often it has come while it was handled in this process.
  static uint64_t Total(int number);

  // The process that sent the last one; 0 if the kernel did.
  pid_t last_sender() const;

 private:
  const OwnerProcess owner_;
  const int number_;
  const uint64_t before_;
  const bool ignored_;
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_SIGNALS_HANDLED_SIGNAL_H_
