// SPDX-License-Identifier: Apache-2.0
//
// LoopDependent: the reference of a handle - a stream, a listener, an
// Interval - to a loop that it may outlive.
//
// The rule for all handles: a handle may outlive its loop; then it is empty.
// The loop's end closes sockets, reclaims lent buffers and discards results.
// Afterwards the handle may be destroyed, moved and closed on any thread, one
// at a time; a call that returns a status returns FailedPrecondition, any
// other aborts and names the handle. Until then a handle is for its loop's
// thread only. A forked child is not the owner: its calls abort, its
// destructors do nothing.
//
// A loop keeps a list of its dependents and empties them when it ends. So
// checking whether the loop still exists reads one pointer, without a
// reference count.

#ifndef RINGWAY_EXECUTOR_LOOP_LOOP_DEPENDENT_H_
#define RINGWAY_EXECUTOR_LOOP_LOOP_DEPENDENT_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "ringway/core/containers/intrusive_list.h"

namespace ringway {

class Loop;

// Why a handle is unusable.
enum class Unusable : uint8_t {
  kNo,         // it is usable
  kEmpty,      // it was closed or moved from
  kLoopEnded,  // its loop has ended
};

// OK for kNo, else FailedPrecondition: "the UDP socket is closed or was moved
// from", "the loop of the UDP socket has ended".
absl::Status UnusableStatus(Unusable why, const char* what);

class LoopDependent : public ListNode {
 public:
  // Threads: the loop's only (checked).
  explicit LoopDependent(Loop& loop);
  LoopDependent(const LoopDependent&) = delete;
  LoopDependent& operator=(const LoopDependent&) = delete;

  bool loop_ended() const { return loop_ == nullptr; }

  // Whether a handle that refers to `object`, which may be null, can be used.
  // Aborts with the name `what` ("a TcpStream") if called on another thread
  // than the loop's.
  static inline Unusable WhyUnusable(const LoopDependent* object,
                                     const char* what);  // in loop.h
  // The same for calls that return no status: aborts.
  static void CheckUsable(const LoopDependent* object, const char* what);

  // Aborts with the name `what` unless it belongs to `loop`. This suffices
  // for an awaiting task, which never leaves its loop's thread.
  void CheckAwaitedOn(const Loop& loop, const char* what) const {
    if (loop_ != &loop) [[unlikely]] {
      FailAwaitedOn(what);
    }
  }

  // For the owner that drops `object`. Returns false and leaves `object`
  // unchanged if its loop must take part in that. Otherwise returns true with
  // `object` null: deleted if the loop has ended, or leaked in a forked
  // child, because the parent has operations of it in flight. Aborts with the
  // name `what` if called on another thread than the loop's.
  template <typename T>
  static bool LetGoWithoutLoop(std::unique_ptr<T>& object, const char* what) {
    switch (object->HowToLetGo(what)) {
      case Ending::kByLoop:
        return false;
      case Ending::kDelete:
        object.reset();
        return true;
      case Ending::kLeak:
        static_cast<void>(object.release());
        return true;
    }
    return true;
  }

 protected:
  virtual ~LoopDependent();

  // For destructors of objects without operations in flight: aborts with the
  // name `what` if called on another thread than the loop's.
  void CheckDestroyed(const char* what) const;

  // The loop ends: its operations have ended, it runs nothing more, and the
  // backend still exists. Must return or close whatever belongs to the loop.
  virtual void OnLoopEnd() = 0;

 private:
  friend class Loop;
  enum class Ending : uint8_t { kByLoop, kDelete, kLeak };

  Ending HowToLetGo(const char* what) const;
  [[noreturn]] void FailAwaitedOn(const char* what) const;

  Loop* loop_;              // null once it has ended
  bool forgotten_ = false;  // the loop ended in a forked child
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_LOOP_LOOP_DEPENDENT_H_
