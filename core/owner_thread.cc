// SPDX-License-Identifier: Apache-2.0

#include "core/owner_thread.h"

#include <pthread.h>

#include "core/check.h"

namespace ringway {

constinit std::atomic<uint64_t> OwnerProcess::forks_ = 0;
constinit thread_local char OwnerThread::this_thread_ = 0;

OwnerProcess::OwnerProcess() {
  [[maybe_unused]] static const int registered = pthread_atfork(
      nullptr, nullptr, [] { forks_.fetch_add(1, std::memory_order_relaxed); });
  fork_generation_ = forks_.load(std::memory_order_relaxed);
}

void OwnerProcess::Fail(const char* what) {
  RINGWAY_CHECK(
      false,
      "%s belongs to the parent process; a forked child must make its own",
      what);
  __builtin_unreachable();
}

OwnerThread::OwnerThread() : thread_(&this_thread_) {}

void OwnerThread::Fail(const char* what) const {
  process_.Check(what);
  RINGWAY_CHECK(
      false,
      "%s was used from a foreign thread; only the thread that made it may use "
      "it (Post() and Notify() are for the others)",
      what);
  __builtin_unreachable();
}

}  // namespace ringway
