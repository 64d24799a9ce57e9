// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/epoll/without_sigpipe.h"

#include <pthread.h>
#include <signal.h>

#include <cerrno>
#include <ctime>

#include "ringway/backends/common/system_call.h"

namespace ringway::epoll {
namespace {

bool IsPending() {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

void TakePending(const sigset_t& set) {
  const timespec at_once = {};
  while (sigtimedwait(&set, nullptr, &at_once) < 0 && errno == EINTR) {
  }
}

}  // namespace

int32_t RunWithoutSigPipe(const Operation& op) {
  sigset_t sigpipe, before;
  sigemptyset(&sigpipe);
  sigaddset(&sigpipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
  // Only a blocked signal can be pending already.
  const bool was_blocked = sigismember(&before, SIGPIPE) == 1;
  const bool was_pending = was_blocked && IsPending();

  const int32_t result = RunSystemCall(op);

  // A part may have been moved before the peer was found closed.
  const bool moved_all =
      result >= 0 && static_cast<uint32_t>(result) == op.length;
  if (!moved_all && !was_pending) TakePending(sigpipe);
  if (!was_blocked) pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return result;
}

}  // namespace ringway::epoll
