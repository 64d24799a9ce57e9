// SPDX-License-Identifier: Apache-2.0
//
// SignalBell: wakes the threads of this process that wait for signals. One
// word that counts, and a futex(7) on it: that is all that a signal handler
// can use without a lock, it needs no fd, and it reaches any number of threads.

#ifndef RINGWAY_RUNTIME_SIGNALS_SIGNAL_BELL_H_
#define RINGWAY_RUNTIME_SIGNALS_SIGNAL_BELL_H_

#include <atomic>
#include <cstdint>

#include "ringway/core/time/monotonic_time.h"

namespace ringway::internal {

class SignalBell {
 public:
  // How often it was rung. What was written before a Ring() is visible once
  // this has counted it.
  //
  // Threads: any.
  static uint32_t rings() { return rings_.load(std::memory_order_acquire); }

  // Threads: any, and signal handlers.
  static void Ring();

  // Waits until rings() differs from `rings`, or for `deadline`. May return
  // early.
  //
  // Threads: any.
  static void WaitForMore(uint32_t rings, MonotonicTime deadline);

 private:
  static constinit std::atomic<uint32_t> rings_;
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_SIGNALS_SIGNAL_BELL_H_
