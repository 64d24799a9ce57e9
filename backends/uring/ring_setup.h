// SPDX-License-Identifier: Apache-2.0
//
// Creates rings from BackendOptions.

#ifndef RINGWAY_BACKENDS_URING_RING_SETUP_H_
#define RINGWAY_BACKENDS_URING_RING_SETUP_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/uring/direct_ring.h"
#include "ringway/backends/uring/kernel_ring.h"

namespace ringway::uring {

KernelRing::Config RingConfig(const BackendOptions& options);

// Null if it is not requested, or unavailable and not required.
absl::StatusOr<std::unique_ptr<DirectRing>> MakeDirectRing(
    const BackendOptions& options);

// The operations that `ring` supports natively: bit n is OpCode n.
uint64_t NativeOperations(const KernelRing& ring);

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_RING_SETUP_H_
