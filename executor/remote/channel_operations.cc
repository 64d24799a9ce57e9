// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/remote/channel_operations.h"

namespace ringway::internal {

// Without text, which would have to be allocated.
absl::Status StatusOf(SendOutcome outcome) {
  switch (outcome) {
    case SendOutcome::kSent:
      return absl::OkStatus();
    case SendOutcome::kFull:
      return absl::Status(absl::StatusCode::kResourceExhausted, "");
    case SendOutcome::kRefused:
      return absl::Status(absl::StatusCode::kUnavailable, "");
    case SendOutcome::kForked:
      return absl::FailedPreconditionError(
          "the channel belongs to the parent process; a forked child must make "
          "its own");
  }
  RINGWAY_CHECK(false, "no outcome: %d", static_cast<int>(outcome));
}

}  // namespace ringway::internal
