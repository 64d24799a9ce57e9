// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/cancel_token.h"

#include "ringway/core/check.h"
#include "ringway/executor/structured/timeout.h"

namespace ringway::internal {

CancelStateRef::CancelStateRef(CancelState& state) : state_(&state) {
  ++state.references_;
}

CancelStateRef::CancelStateRef(const CancelStateRef& other)
    : state_(other.state_) {
  if (state_ == nullptr) return;
  state_->CheckThread();
  ++state_->references_;
}

CancelStateRef::~CancelStateRef() {
  if (state_ == nullptr) return;
  state_->CheckThread();
  if (--state_->references_ == 0) delete state_;
}

CancelStateRef CancelState::NewBelow(CancelStateRef parent) {
  CancelStateRef state(*new CancelState(std::move(parent)));
  if (CancelState* p = state->parent_.get()) {
    if (p->reason_.ok()) {
      p->children_.PushFront(*state.get());
    } else {
      state->Cancel(p->reason_);
    }
  }
  return state;
}

CancelState::~CancelState() {
  RINGWAY_CHECK(!cancelled_.awaited() && listeners_.empty(),
                "the last CancelToken of a source was destroyed while a task "
                "waits for it");
  if (linked()) Unlink();
}

void CancelState::Cancel(const absl::Status& reason) {
  CheckThread();
  RINGWAY_CHECK(!reason.ok(), "a cancel needs a reason that is not OK");
  if (!reason_.ok()) return;
  reason_ = reason;
  while (CancelState* child = children_.PopFront()) child->Cancel(reason_);
  while (CancelListener* listener = listeners_.PopFront())
    listener->OnCancelled();
  cancelled_.Set();
}

void CancelState::AddListener(CancelListener& listener) {
  CheckThread();
  if (reason_.ok()) {
    listeners_.PushFront(listener);
  } else {
    listener.OnCancelled();
  }
}

namespace {

// Cancels a task with a token. Destroying it unregisters it.
class CancelWithToken : public CancelListener {
 public:
  CancelWithToken(const CancelToken& token, JoinHandleBase& target)
      : CancelListener(&OnToken), target_(target) {
    token.AddListener(*this);
  }
  ~CancelWithToken() { CallOff(); }

  void CallOff() {
    if (linked()) Unlink();
  }
  bool cancelled() const { return cancelled_; }

 private:
  static void OnToken(CancelListener& listener) {
    CancelWithToken& self = static_cast<CancelWithToken&>(listener);
    self.cancelled_ = !self.target_.done();
    self.target_.Cancel();
  }

  JoinHandleBase& target_;
  bool cancelled_ = false;
};

}  // namespace

Task<bool> WaitWithToken(CancelToken token, JoinHandleBase& child) {
  CancelWithToken canceller(token, child);
  JoinWait wait(child);
  const absl::Status waited = co_await wait;
  if (!waited.ok()) {
    canceller.CallOff();
    co_await CancelAndWait(child);
  }
  co_return canceller.cancelled();
}

bool TokenLimit::Begin(TaskContext& task) {
  if (token_.cancelled() && !task.cancelled()) return false;
  task_ = &task;
  return true;
}

void TokenLimit::Arm() {
  if (task_->waits()) token_.AddListener(*this);
}

void TokenLimit::OnToken(CancelListener& listener) {
  TokenLimit& self = static_cast<TokenLimit&>(listener);
  if (!self.task_->waits()) return;  // its result, or a cancel, came first
  self.ended_wait_ = true;
  self.task_->EndWait();
}

}  // namespace ringway::internal
