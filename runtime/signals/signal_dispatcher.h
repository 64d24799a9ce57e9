// SPDX-License-Identifier: Apache-2.0
//
// SignalDispatcher: a thread that sends a message to executors when a signal
// has come, which a handler cannot: waking a blocked loop takes a lock. The
// thread is there while anything listens.
//
// It is also the thread that the kernel can deliver a signal to if the program
// has blocked it everywhere else. All others are blocked in it.

#ifndef RINGWAY_RUNTIME_SIGNALS_SIGNAL_DISPATCHER_H_
#define RINGWAY_RUNTIME_SIGNALS_SIGNAL_DISPATCHER_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "ringway/executor/remote/wake_message.h"
#include "ringway/runtime/signals/signal_set.h"

namespace ringway::internal {

// Threads: any.
class SignalDispatcher {
 public:
  // A forked child has another one.
  static SignalDispatcher& OfThisProcess();

  SignalDispatcher() = default;
  SignalDispatcher(const SignalDispatcher&) = delete;
  SignalDispatcher& operator=(const SignalDispatcher&) = delete;

  // Sends `wake` whenever HandledSignal::Total() of one of `numbers` has
  // changed; these must be handled until Remove().
  //
  // Errors: ResourceExhausted if no thread can be started.
  absl::Status Add(SignalSet numbers, std::shared_ptr<WakeMessage> wake);

  // Afterwards `wake` is not sent, and what nothing listens to any more is
  // blocked in the thread, or the thread has ended. Does nothing if `wake` was
  // not added.
  //
  // Cost: waits for the thread, a few microseconds.
  void Remove(const WakeMessage& wake);

 private:
  struct Listener {
    SignalSet numbers;
    std::shared_ptr<WakeMessage> wake;
    uint64_t told;  // how many signals it was woken for
  };

  static uint64_t Total(SignalSet numbers);

  void ThreadMain();
  // All below require the mutex.
  absl::Status StartThread();
  SignalSet Wanted() const;
  void SetMaskOfThread();
  void WakeListeners();

  std::mutex mutex_;  // guards all below
  std::condition_variable mask_set_;
  std::vector<Listener> listeners_;
  std::thread thread_;
  bool runs_ = false;
  SignalSet unblocked_;  // in the thread
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_SIGNALS_SIGNAL_DISPATCHER_H_
