// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/completions.h"

#include <cerrno>

namespace ringway {

std::optional<CancelOutcome> Completions::BeginCancel(Operation& op,
                                                      RunnableList& done) {
  switch (op.state) {
    case OpState::kIdle:
    case OpState::kDone:
      return CancelOutcome::kNotFound;
    case OpState::kQueued:
      op.Unlink();
      op.result = -ECANCELED;
      ++stats_.submitted;  // keeps "submitted - completed = in flight" true
      ++stats_.completed;
      End(op, done);
      return CancelOutcome::kNotStarted;
    case OpState::kInFlight:
      break;
  }
  if (op.cancel_requested) return CancelOutcome::kRequested;
  op.cancel_requested = true;
  ++stats_.cancels;
  return std::nullopt;
}

}  // namespace ringway
