// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/loop_dependent.h"

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/executor/loop/loop.h"

namespace ringway {

absl::Status UnusableStatus(Unusable why, const char* what) {
  switch (why) {
    case Unusable::kNo:
      return absl::OkStatus();
    case Unusable::kEmpty:
      return absl::FailedPreconditionError(
          absl::StrCat("the ", what, " is closed or was moved from"));
    case Unusable::kLoopEnded:
      return absl::FailedPreconditionError(
          absl::StrCat("the loop of the ", what, " has ended"));
  }
  return absl::OkStatus();
}

LoopDependent::LoopDependent(Loop& loop) : loop_(&loop) {
  loop.CheckThread("a loop");
  loop.dependents_.PushBack(*this);
}

LoopDependent::~LoopDependent() {
  if (linked()) Unlink();
}

void LoopDependent::CheckUsable(const LoopDependent* object, const char* what) {
  RINGWAY_CHECK(object != nullptr,
                "%s was used after it was closed or moved from", what);
  RINGWAY_CHECK(object->loop_ != nullptr,
                "%s was used after the end of its loop", what);
  object->loop_->CheckThread(what);
}

LoopDependent::Ending LoopDependent::HowToLetGo(const char* what) const {
  if (forgotten_) return Ending::kLeak;
  if (loop_ == nullptr) return Ending::kDelete;
  if (loop_->forked()) return Ending::kLeak;
  loop_->CheckThread(what);
  return Ending::kByLoop;
}

void LoopDependent::CheckDestroyed(const char* what) const {
  if (loop_ != nullptr && !loop_->forked()) loop_->CheckThread(what);
}

void LoopDependent::FailAwaitedOn(const char* what) const {
  RINGWAY_CHECK(loop_ != nullptr, "%s was awaited after the end of its loop",
                what);
  loop_->CheckThread(what);
  RINGWAY_CHECK(false, "%s was awaited by a task of another executor", what);
  __builtin_unreachable();
}

}  // namespace ringway
