// SPDX-License-Identifier: Apache-2.0

#include "core/owner_thread.h"

#include <pthread.h>

#include "core/check.h"

namespace ringway {

constinit thread_local char OwnerThread::this_thread_ = 0;
constinit std::atomic<uint64_t> OwnerThread::forks_ = 0;

OwnerThread::OwnerThread() : thread_(&this_thread_) {
  [[maybe_unused]] static const int registered = pthread_atfork(
      nullptr, nullptr, [] { forks_.fetch_add(1, std::memory_order_relaxed); });
  fork_generation_ = forks_.load(std::memory_order_relaxed);
}

void OwnerThread::Fail(const char* what) const {
  RINGWAY_CHECK(
      !forked(),
      "%s belongs to the parent process; a forked child must make its own",
      what);
  RINGWAY_CHECK(
      false,
      "%s was used from a foreign thread; only the thread that made it may use "
      "it (Post() and Notify() are for the others)",
      what);
  __builtin_unreachable();
}

}  // namespace ringway
