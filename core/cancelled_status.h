// SPDX-License-Identifier: Apache-2.0
//
// CancelledStatus(): how every wait that was cancelled ends.

#ifndef RINGWAY_CORE_CANCELLED_STATUS_H_
#define RINGWAY_CORE_CANCELLED_STATUS_H_

#include "absl/status/status.h"
#include "ringway/core/compiler.h"

namespace ringway {

// Cancelled, without a text: being cancelled is part of normal life, and a text
// would have to be allocated. (absl::CancelledError() builds its status out of
// line.)
//
// Cost: no allocation.
inline absl::Status CancelledStatus() {
  return absl::Status(absl::StatusCode::kCancelled, "");
}

}  // namespace ringway

#endif  // RINGWAY_CORE_CANCELLED_STATUS_H_
