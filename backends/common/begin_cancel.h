// SPDX-License-Identifier: Apache-2.0
//
// BeginCancel: what every backend's Cancel() begins with.

#ifndef RINGWAY_BACKENDS_COMMON_BEGIN_CANCEL_H_
#define RINGWAY_BACKENDS_COMMON_BEGIN_CANCEL_H_

#include <cerrno>
#include <optional>

#include "ringway/backends/backend.h"
#include "ringway/backends/operation.h"
#include "ringway/core/runnable.h"

namespace ringway {

// The outcome, if there is nobody to be asked: `op` is not active, or was still
// queued and ends here, in `done`, or has been asked already. Otherwise it is
// in flight, and counts as asked from now on.
inline std::optional<CancelOutcome> BeginCancel(Operation& op,
                                                BackendStats& stats,
                                                RunnableList& done) {
  switch (op.state) {
    case OpState::kIdle:
    case OpState::kDone:
      return CancelOutcome::kNotFound;
    case OpState::kQueued: {
      op.Unlink();
      op.state = OpState::kDone;
      op.result = -ECANCELED;
      ++stats.submitted;  // keeps "submitted - completed = in flight" true
      ++stats.completed;
      Runnable& end = EndOf(op);
      if (!end.linked()) done.PushBack(end);
      return CancelOutcome::kNotStarted;
    }
    case OpState::kInFlight:
      break;
  }
  if (op.cancel_requested) return CancelOutcome::kRequested;
  op.cancel_requested = true;
  ++stats.cancels;
  return std::nullopt;
}

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_BEGIN_CANCEL_H_
