// SPDX-License-Identifier: Apache-2.0
//
// CheckMultishotReceive: does this kernel's multishot receive work?

#ifndef RINGWAY_BACKENDS_URING_PROBE_MULTISHOT_H_
#define RINGWAY_BACKENDS_URING_PROBE_MULTISHOT_H_

#include "absl/status/status.h"
#include "ringway/backends/uring/kernel_ring.h"

namespace ringway::uring {

// Receives one byte through a provided buffer. Kernels before 6.0 answer EINVAL
// or end the receive at once: Unimplemented. `ring` is idle afterwards.
absl::Status CheckMultishotReceive(KernelRing& ring);

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_PROBE_MULTISHOT_H_
