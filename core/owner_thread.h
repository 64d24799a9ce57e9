// SPDX-License-Identifier: Apache-2.0
//
// OwnerThread: records the thread (and process) that made an object and
// aborts when another one uses it. OwnerProcess: records the process only,
// for objects that any of its threads may use.
//
// The typical misuse of a thread-per-core runtime is a call from the wrong
// thread; and a forked child that uses its parent's ring would submit the
// parent's requests. Both are detected in every build, for about a nanosecond
// per check.

#ifndef RINGWAY_CORE_OWNER_THREAD_H_
#define RINGWAY_CORE_OWNER_THREAD_H_

#include <atomic>
#include <cstdint>

namespace ringway {

class OwnerProcess {
 public:
  // The calling process becomes the owner.
  OwnerProcess();

  // True in a child that was forked after this object was made. False in a
  // child of vfork(2) or of a direct clone(2), which do not run fork
  // handlers.
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
  // Starts counting forks.
  static void CountForks();

  // The number of forks between this process and the first one that called
  // CountForks().
  static constinit std::atomic<uint64_t> forks_;

  uint64_t fork_generation_;
};

namespace internal {

// The id of the thread that uses this record; 0 once that has ended. Reused
// by a later thread; never freed.
struct ThreadRecord {
  std::atomic<uint64_t> id{0};
  ThreadRecord* next_free = nullptr;
};

// The calling thread's id and record. Ids are unique over threads and forked
// processes: the high bits are the number of forks.
struct ThisThread {
  uint64_t id = 0;  // 0: this thread has not owned anything yet
  ThreadRecord* record = nullptr;
};

}  // namespace internal

class OwnerThread {
 public:
  // The calling thread becomes the owner.
  OwnerThread();

  // For objects made on one thread and used on another: no thread is the
  // owner until BindOrCheck().
  static OwnerThread Unbound() { return OwnerThread(kNoThread, nullptr); }

  // True on the owning thread of the owning process.
  bool IsCurrent() const { return id_ == this_thread_.id; }

  // True in a child that was forked after this object was made.
  bool forked() const {
    return id_ >> kForkShift !=
           OwnerProcess::forks_.load(std::memory_order_relaxed);
  }

  // True if the owning thread has ended, if this is a forked child's copy, or
  // if no thread is the owner.
  bool gone() const;

  // Aborts with a message naming `what` unless IsCurrent().
  void Check(const char* what) const {
    if (!IsCurrent()) [[unlikely]] {
      Fail(what);
    }
  }

  // The same for an object that only uses memory: any thread may use it once
  // its owner is gone().
  void CheckOrGone(const char* what) const {
    if (!IsCurrent() && id_ != kNoThread) [[unlikely]] {
      FailUnlessGone(what);
    }
  }

  // The same, but if the owner is gone() the calling thread becomes the
  // owner.
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
