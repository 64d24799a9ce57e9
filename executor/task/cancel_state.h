// SPDX-License-Identifier: Apache-2.0
//
// CancelState: the state shared by a CancelSource and its tokens. Internal.

#ifndef RINGWAY_EXECUTOR_TASK_CANCEL_STATE_H_
#define RINGWAY_EXECUTOR_TASK_CANCEL_STATE_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "ringway/core/check.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/memory/frame_allocator.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/task_context.h"

namespace ringway::internal {

class CancelState;

// A counted reference. The count is not atomic: all users are on one thread.
class CancelStateRef {
 public:
  // Null.
  CancelStateRef() = default;
  explicit CancelStateRef(CancelState& state);
  CancelStateRef(const CancelStateRef& other);
  CancelStateRef(CancelStateRef&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)) {}
  CancelStateRef& operator=(CancelStateRef other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~CancelStateRef();

  CancelState* get() const { return state_; }
  // Checks the thread, and that the reference is not null.
  inline CancelState* operator->() const;

 private:
  CancelState* state_ = nullptr;
};

// A node of a tree: it keeps its parent alive, and the parent links its
// living children.
class CancelState : public ListNode {
 public:
  static CancelStateRef New() { return NewBelow({}); }
  // `parent` must not be null (checked).
  static CancelStateRef NewChild(const CancelStateRef& parent) {
    parent->CheckThread();
    return NewBelow(parent);
  }

  CancelState(const CancelState&) = delete;
  CancelState& operator=(const CancelState&) = delete;
  ~CancelState();

  static void* operator new(size_t n_bytes) {
    return FrameAllocator::Allocate(n_bytes);
  }
  static void operator delete(void* p) { FrameAllocator::Free(p); }

  void Cancel(const absl::Status& reason);
  void AddListener(CancelListener& listener);

  // The state belongs to the thread that made it while that thread exists;
  // afterwards any other may use it, since it is only memory.
  void CheckThread() const {
    owner_.CheckOrGone("a CancelSource or CancelToken");
  }

  const absl::Status& reason() const { return reason_; }
  Event& cancelled() { return cancelled_; }

 private:
  friend class CancelStateRef;
  static CancelStateRef NewBelow(CancelStateRef parent);
  explicit CancelState(CancelStateRef parent) : parent_(std::move(parent)) {}

  const OwnerThread owner_;
  uint32_t references_ = 0;
  absl::Status reason_;
  const CancelStateRef parent_;
  IntrusiveList<CancelState> children_;      // newest first
  IntrusiveList<CancelListener> listeners_;  // newest first
  Event cancelled_;
};

inline CancelState* CancelStateRef::operator->() const {
  RINGWAY_CHECK(state_ != nullptr,
                "a CancelSource or CancelToken was used after it was moved "
                "from");
  state_->CheckThread();
  return state_;
}

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_TASK_CANCEL_STATE_H_
