// SPDX-License-Identifier: Apache-2.0

#ifndef RINGWAY_RUNTIME_SERVING_STATUS_OF_EXCEPTION_H_
#define RINGWAY_RUNTIME_SERVING_STATUS_OF_EXCEPTION_H_

#include "absl/status/status.h"

namespace ringway::internal {

// The exception that is being handled, as Internal with its message. Without
// memory for that, ResourceExhausted. Never throws.
absl::Status StatusOfException() noexcept;

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_SERVING_STATUS_OF_EXCEPTION_H_
