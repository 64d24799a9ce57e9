// SPDX-License-Identifier: Apache-2.0
//
// LoopDependent: what a handle - a stream, a listener, an Interval - refers to
// a loop by, so that it may outlive the loop.
//
// The rule for all handles: a handle may outlive its loop; then it is empty.
// The loop's end takes away what the handle refers to: it closes sockets and
// takes lent buffers and results back. Afterwards the handle may be destroyed,
// moved and closed on any thread, one at a time; a call that returns a status
// gives FailedPrecondition, any other aborts and names the handle. Until then
// a handle is for its loop's thread only. A forked child is not the owner: its
// calls abort, its destructors touch nothing.
//
// A loop keeps a list of its dependents and visits it when it ends. A check of
// "is it still there" therefore reads one pointer, and costs no reference
// count.

#ifndef RINGWAY_EXECUTOR_LOOP_LOOP_DEPENDENT_H_
#define RINGWAY_EXECUTOR_LOOP_LOOP_DEPENDENT_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "ringway/core/containers/intrusive_list.h"

namespace ringway {

class Loop;

// Why a handle cannot do what it is asked to.
enum class Unusable : uint8_t {
  kNo,         // it can
  kEmpty,      // it was closed or moved from
  kLoopEnded,  // the loop that it belonged to is gone
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

  // Whether a handle that refers to `object`, or to nothing, can be used.
  // Aborts naming `what` ("a TcpStream") on another thread than the loop's.
  static Unusable WhyUnusable(const LoopDependent* object, const char* what);
  // The same for calls that return no status: aborts.
  static void CheckUsable(const LoopDependent* object, const char* what);

  // Aborts naming `what` unless it belongs to `loop`. Of a task that awaits, no
  // more need be checked: a task never leaves its loop's thread.
  void CheckAwaitedOn(const Loop& loop, const char* what) const {
    if (loop_ != &loop) [[unlikely]] {
      FailAwaitedOn(what);
    }
  }

  // For the owner that lets go of `object`: false, and `object` is where it
  // was, if its loop has a part in that. True if not, and `object` is null:
  // deleted where the loop has ended; leaked in a forked child, whose parent
  // has operations of it in flight. Aborts naming `what` on another thread than
  // the loop's.
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

  // For destructors of what has nothing in flight: aborts naming `what` on
  // another thread than the loop's.
  void CheckDestroyed(const char* what) const;

  // The loop ends. Its operations have ended, nothing more is run, and the
  // backend is still there: gives back or closes whatever is the loop's.
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
