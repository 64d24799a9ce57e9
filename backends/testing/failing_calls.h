// SPDX-License-Identifier: Apache-2.0
//
// FailingCall: makes the n-th system call of a kind fail, once.
//
// The linker redirects the calls of the whole test binary here (--wrap), so
// production code needs no hook. A test that makes the first call fail, then
// the second and so on until none is left to fail covers every error path of
// a single failure.
//
//   for (uint64_t n = 1; ; ++n) {
//     FailingCall failure(SystemCall::kSend, n, EPIPE);
//     ...
//     if (!failure.happened()) break;
//   }

#ifndef RINGWAY_BACKENDS_TESTING_FAILING_CALLS_H_
#define RINGWAY_BACKENDS_TESTING_FAILING_CALLS_H_

#include <cstdint>

namespace ringway::testing {

enum class SystemCall : uint8_t {
  kUringEnter,
  kRecv,
  kSend,
  kAccept,
  kConnect,
  kEpollControl,
  kEpollWait,
  // Calls that create a backend.
  kUringSetup,
  kEpollCreate,
  kEventFd,
  kSocketPair,
  // Calls that create sockets.
  kSocket,
};

const char* SystemCallName(SystemCall call);

// Threads: counts and fails the calls of the thread that made it. One at a
// time.
class FailingCall {
 public:
  // The `n`-th call from now on (1 is the next) fails with `errnum` without
  // any effect.
  FailingCall(SystemCall call, uint64_t n, int errnum);
  ~FailingCall();
  FailingCall(const FailingCall&) = delete;
  FailingCall& operator=(const FailingCall&) = delete;

  bool happened() const;
};

// The same for the `n`-th call of any thread without its own FailingCall.
//
// Threads: one of these at a time.
class FailingCallOfAnyThread {
 public:
  FailingCallOfAnyThread(SystemCall call, uint64_t n, int errnum);
  ~FailingCallOfAnyThread();
  FailingCallOfAnyThread(const FailingCallOfAnyThread&) = delete;
  FailingCallOfAnyThread& operator=(const FailingCallOfAnyThread&) = delete;

  bool happened() const;
};

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_FAILING_CALLS_H_
