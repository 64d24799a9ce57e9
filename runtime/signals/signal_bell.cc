// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/signals/signal_bell.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

namespace ringway::internal {
namespace {

static_assert(std::atomic<uint32_t>::is_always_lock_free);

timespec ToTimespec(MonotonicTime time) {
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t ns = std::max<int64_t>(time.nanoseconds(), 0);
  return {.tv_sec = ns / kSecond, .tv_nsec = ns % kSecond};
}

}  // namespace

constinit std::atomic<uint32_t> SignalBell::rings_ = 0;

void SignalBell::Ring() {
  rings_.fetch_add(1, std::memory_order_release);
  syscall(SYS_futex, &rings_, FUTEX_WAKE_PRIVATE,
          std::numeric_limits<int>::max());
}

void SignalBell::WaitForMore(uint32_t rings, MonotonicTime deadline) {
  // Of the two calls that wait, the one that takes a time and not a duration;
  // its errors are another value, a signal, or the deadline. Without a time it
  // would not return when a handler has run on this thread, but the thread
  // sanitizer runs handlers only after the call.
  const timespec until = ToTimespec(deadline);
  syscall(SYS_futex, &rings_, FUTEX_WAIT_BITSET_PRIVATE, rings, &until, nullptr,
          FUTEX_BITSET_MATCH_ANY);
}

}  // namespace ringway::internal
