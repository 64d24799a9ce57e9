// SPDX-License-Identifier: Apache-2.0
//
// What BackendOptions mean for rings.

#ifndef RINGWAY_BACKENDS_URING_RING_SETUP_H_
#define RINGWAY_BACKENDS_URING_RING_SETUP_H_

#include <cstdint>

#include "ringway/backends/backend_options.h"
#include "ringway/backends/uring/kernel_ring.h"

namespace ringway::uring {

KernelRing::Config RingConfig(const BackendOptions& options);

// The same for the ring that polls for direct transfers.
KernelRing::Config PolledRingConfig(const BackendOptions& options);

// The operations that `ring` supports natively: bit n is OpCode n.
uint64_t NativeOperations(const KernelRing& ring);

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_RING_SETUP_H_
