// SPDX-License-Identifier: Apache-2.0
//
// Constants of newer kernels that liburing 2.3 lacks, from the kernel's
// include/uapi/linux/io_uring.h, each with the first release that has it. All
// are probed before use.

#ifndef RINGWAY_BACKENDS_URING_KERNEL_CONSTANTS_H_
#define RINGWAY_BACKENDS_URING_KERNEL_CONSTANTS_H_

#include <cstdint>

namespace ringway::uring {

inline constexpr uint8_t kOpWaitId = 50;    // IORING_OP_WAITID, Linux 6.7
inline constexpr uint8_t kOpTruncate = 55;  // IORING_OP_FTRUNCATE, Linux 6.9
inline constexpr uint8_t kOpBind = 56;      // IORING_OP_BIND, Linux 6.11
inline constexpr uint8_t kOpListen = 57;    // IORING_OP_LISTEN, Linux 6.11

// IOU_PBUF_RING_INC and IORING_CQE_F_BUF_MORE, Linux 6.12: receives share a
// buffer.
inline constexpr uint16_t kBufferRingShared = 2;
inline constexpr uint32_t kCompletionBufferMore = 1u << 4;

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_KERNEL_CONSTANTS_H_
