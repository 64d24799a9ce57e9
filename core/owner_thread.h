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
  friend class OwnerThread;

  [[noreturn]] static void Fail(const char* what);
  // Sees to it that forks are counted from now on.
  static void CountForks();

  // How many forks lie between this process and the first one that asked.
  static constinit std::atomic<uint64_t> forks_;

  uint64_t fork_generation_;
};

namespace internal {

// Says which thread it is given to: 0 once that has ended. Used again by a
// later thread; never freed.
struct ThreadRecord {
  std::atomic<uint64_t> id{0};
  ThreadRecord* next_free = nullptr;
};

// The calling thread's. An id is of one thread of one process, for ever: it has
// the number of forks in front.
struct ThisThread {
  uint64_t id = 0;  // 0: it has not owned anything yet
  ThreadRecord* record = nullptr;
};

}  // namespace internal

class OwnerThread {
 public:
  // The calling thread becomes the owner.
  OwnerThread();

  // Of an object that is made on one thread and used on another: no thread
  // owns it until BindOrCheck().
  static OwnerThread Unbound() { return OwnerThread(kNoThread, nullptr); }

  // True on the owning thread of the owning process.
  bool IsCurrent() const { return id_ == this_thread_.id; }

  // True in a child that was forked after this object was made.
  bool forked() const {
    return id_ >> kForkShift !=
           OwnerProcess::forks_.load(std::memory_order_relaxed);
  }

  // True when nothing can be done with the object any more where it was made:
  // the owning thread has ended, or this is a forked child's copy. Also while
  // no thread owns it.
  bool gone() const;

  // Aborts with a message naming `what` unless IsCurrent().
  void Check(const char* what) const {
    if (!IsCurrent()) [[unlikely]] {
      Fail(what);
    }
  }

  // The same for an object that is memory and nothing else: whatever thread
  // finds it when its owner is gone() may use it.
  void CheckOrGone(const char* what) const {
    if (!IsCurrent() && id_ != kNoThread) [[unlikely]] {
      FailUnlessGone(what);
    }
  }

  // The same; where the owner is gone() the calling thread is the next.
  void BindOrCheck(const char* what) {
    if (IsCurrent()) [[likely]] {
      return;
    }
    if (id_ != kNoThread || this_thread_.id == 0) [[unlikely]] {
      BindUnlessOwned(what);
    } else {
      id_ = this_thread_.id;
      record_ = this_thread_.record;
    }
  }

 private:
  static constexpr int kForkShift = 40;
  static constexpr uint64_t kNoThread = ~uint64_t{0};  // no thread's id

  OwnerThread(uint64_t id, internal::ThreadRecord* record)
      : id_(id), record_(record) {}
  [[noreturn]] void Fail(const char* what) const;
  [[gnu::cold]] void FailUnlessGone(const char* what) const;
  [[gnu::cold]] void BindUnlessOwned(const char* what);

  friend class OwnerProcess;

  static void GiveThisThreadAnId();
  static uint64_t NewId();
  static void OnForked();

  static constinit thread_local internal::ThisThread this_thread_;
  static constinit std::atomic<uint64_t> threads_;  // that got an id

  uint64_t id_;
  internal::ThreadRecord* record_;  // null: unbound
};

}  // namespace ringway

#endif  // RINGWAY_CORE_OWNER_THREAD_H_
