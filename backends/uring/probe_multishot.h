// SPDX-License-Identifier: Apache-2.0
//
// Probes: do this kernel's multishot receives work, and its shared buffers?

#ifndef RINGWAY_BACKENDS_URING_PROBE_MULTISHOT_H_
#define RINGWAY_BACKENDS_URING_PROBE_MULTISHOT_H_

#include "absl/status/status.h"
#include "ringway/backends/uring/kernel_ring.h"

namespace ringway::uring {

// Receives one byte through a provided buffer. Kernels before 6.0 answer EINVAL
// or end the receive at once: Unimplemented. `ring` is idle afterwards.
absl::Status CheckMultishotReceive(KernelRing& ring);

// Receives into two shared buffers, across the end of the first, and compares
// what is where: several kernels had it elsewhere (axboe/liburing issues 1409,
// 1530 and 1548). `ring` is idle afterwards.
bool SharedBuffersWork(KernelRing& ring);

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_PROBE_MULTISHOT_H_
