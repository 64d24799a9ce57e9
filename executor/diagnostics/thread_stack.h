// SPDX-License-Identifier: Apache-2.0
//
// ThreadStack: takes the stack of another thread, by a signal to it.
//
// The handler runs on that thread, wherever it is, and only copies return
// addresses (backtrace(3), whose first call, which loads libgcc, has been
// made before). They are made readable afterwards, by the thread that asked.

#ifndef RINGWAY_EXECUTOR_DIAGNOSTICS_THREAD_STACK_H_
#define RINGWAY_EXECUTOR_DIAGNOSTICS_THREAD_STACK_H_

#include <semaphore.h>
#include <signal.h>
#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace ringway::internal {

// The handler of a signal, shared by all that use it in this process.
//
// Threads: any.
class StackSignal {
 public:
  // Installs the handler, with SA_RESTART, unless it is installed already.
  //
  // Errors: FailedPrecondition if the program has a handler for `number`;
  //         InvalidArgument if there can be none.
  static absl::Status Use(int number);
  // After the last one, restores what the first Use() has found, unless the
  // program has installed another handler meanwhile.
  static void Release(int number);
};

// One thread that can be asked for its stack.
class ThreadStack {
 public:
  static constexpr size_t kMostFrames = 64;
  static constexpr size_t kMaxNote = 31;

  // Called in the handler: writes what there is to say of the thread's state,
  // up to kMaxNote bytes and a 0, and returns true if the stack is wanted.
  struct Noter {
    bool (*note)(Noter&, char* text);
  };

  // Of the calling thread, which must destroy it. `noter` must outlive it.
  // StackSignal::Use(number) must have succeeded, and stay in effect.
  // Unblocks the signal in this thread.
  ThreadStack(int number, Noter& noter);
  ThreadStack(const ThreadStack&) = delete;
  ThreadStack& operator=(const ThreadStack&) = delete;
  // Restores the thread's signal mask. In a forked child too.
  ~ThreadStack();

  // Asks the thread, and waits for its answer for up to `patience`; false if
  // there is none, because the thread is in an uninterruptible system call,
  // or has blocked the signal, or its Noter does not want it.
  //
  // Threads: another one, one at a time, and not while this is destroyed.
  bool Take(absl::Duration patience);

  // What the last Take() that returned true has found.
  std::string note() const { return note_.data(); }
  // One line for each frame, innermost first.
  std::string Symbolized() const;

 private:
  friend class StackSignal;
  enum class State : int { kIdle, kAsked, kTaking, kTaken, kUnwanted };

  static void OnSignal(int number, siginfo_t* info, void* context);
  void Answer(void* context);

  const int number_;
  const pid_t thread_;
  Noter& noter_;
  std::atomic<ThreadStack*> next_;  // of the same thread
  bool was_blocked_ = false;
  std::atomic<State> state_{State::kIdle};
  sem_t answered_;
  // Written by the handler while the state is kTaking.
  std::array<char, kMaxNote + 1> note_{};
  std::array<void*, kMostFrames> frames_{};
  size_t n_frames_ = 0;
  void* interrupted_ = nullptr;  // the innermost frame that is the thread's
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_DIAGNOSTICS_THREAD_STACK_H_
