// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/ring/completion.h"

#include <cerrno>

#include "ringway/core/errno_status.h"

namespace ringway {

absl::Status Completion::status() const {
  if (ok()) return absl::OkStatus();
  if (result == -ETIME)
    return ErrnoToStatus(ETIME, operation, "the deadline passed");
  return ErrnoToStatus(-result, operation);
}

}  // namespace ringway
