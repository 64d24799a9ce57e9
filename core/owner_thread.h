// SPDX-License-Identifier: Apache-2.0
//
// OwnerThread: remembers the thread (and process) that made an object and dies
// loudly when another one uses it. OwnerProcess: the process alone, for what
// any of its threads may use.
//
// A thread-per-core runtime has no locks to forget, so its one misuse is
// calling it from the wrong thread; and a forked child that drives its parent's
// ring would submit the parent's requests. Both are caught here for about a
// nanosecond per check, in every build.

#ifndef RINGWAY_CORE_OWNER_THREAD_H_
#define RINGWAY_CORE_OWNER_THREAD_H_

#include <atomic>
#include <cstdint>

namespace ringway {

class OwnerProcess {
 public:
  // The calling process becomes the owner.
  OwnerProcess();

  // True in a child that was forked after this object was made. Not in one that
  // vfork(2) or a clone(2) of one's own made: it runs none of fork's handlers.
  //
  // Threads: any, and signal handlers. Cost: one relaxed load.
  bool forked() const {
    return fork_generation_ != forks_.load(std::memory_order_relaxed);
  }

  // Aborts with a message naming `what` if forked().
  void Check(const char* what) const {
    if (forked()) [[unlikely]] {
      Fail(what);
    }
  }

 private:
  [[noreturn]] static void Fail(const char* what);

  // How many forks lie between this process and the first one that asked.
  static constinit std::atomic<uint64_t> forks_;

  uint64_t fork_generation_;
};

class OwnerThread {
 public:
  // The calling thread becomes the owner.
  OwnerThread();

  // True on the owning thread of the owning process.
  bool IsCurrent() const { return thread_ == &this_thread_ && !forked(); }

  // True in a child that was forked after this object was made.
  bool forked() const { return process_.forked(); }

  // Aborts with a message naming `what` unless IsCurrent().
  void Check(const char* what) const {
    if (!IsCurrent()) [[unlikely]] {
      Fail(what);
    }
  }

 private:
  [[noreturn]] void Fail(const char* what) const;

  // Its address is unique among living threads, and cheaper to get than any
  // thread id.
  static constinit thread_local char this_thread_;

  const void* thread_;
  OwnerProcess process_;
};

}  // namespace ringway

#endif  // RINGWAY_CORE_OWNER_THREAD_H_
