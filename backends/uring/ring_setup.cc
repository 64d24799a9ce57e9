// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/ring_setup.h"

#include "ringway/backends/operation.h"
#include "ringway/backends/uring/prepare_entry.h"

namespace ringway::uring {
namespace {

// The opcodes of all operations, and those that the backend itself uses.
uint64_t OwnOpcodes() {
  uint64_t opcodes = uint64_t{1} << IORING_OP_ASYNC_CANCEL |
                     uint64_t{1} << IORING_OP_READ_FIXED |
                     uint64_t{1} << IORING_OP_WRITE_FIXED;
  for (size_t i = 0; i < kOpCodeCount; ++i) {
    const uint8_t opcode = KernelOpcode(static_cast<OpCode>(i));
    if (opcode != kNoKernelOpcode) opcodes |= uint64_t{1} << opcode;
  }
  return opcodes;
}

// With deferred task work a ring's fd reports readiness when polled but does
// not wake a blocked poll. A registered eventfd is no alternative: if an
// eventfd, such as the doorbell, caused the completion, only its first signal
// arrives (measured on Linux 6.18).
uint32_t UnwantedSetupFlags(const BackendOptions& options) {
  return options.uring.masked_setup_flags |
         (options.pollable ? IORING_SETUP_DEFER_TASKRUN : 0);
}

}  // namespace

KernelRing::Config RingConfig(const BackendOptions& options) {
  return {.submission_entries = options.submission_entries,
          .completion_entries = options.completion_entries,
          .large_entries = options.uring.large_entries,
          .polled = false,
          .restricted_to = options.uring.restricted ? OwnOpcodes() : 0,
          .bounded_workers = options.uring.bounded_workers,
          .unbounded_workers = options.uring.unbounded_workers,
          .masked_setup_flags = UnwantedSetupFlags(options),
          .masked_features = options.uring.masked_features,
          .masked_opcodes = options.uring.masked_opcodes};
}

KernelRing::Config PolledRingConfig(const BackendOptions& options) {
  KernelRing::Config config = RingConfig(options);
  config.polled = true;
  return config;
}

uint64_t NativeOperations(const KernelRing& ring) {
  uint64_t native = 0;
  for (size_t i = 0; i < kOpCodeCount; ++i) {
    const uint8_t opcode = KernelOpcode(static_cast<OpCode>(i));
    if (opcode != kNoKernelOpcode && ring.Knows(opcode))
      native |= uint64_t{1} << i;
  }
  return native & ~(uint64_t{1} << static_cast<int>(OpCode::kSendFile));
}

}  // namespace ringway::uring
