// SPDX-License-Identifier: Apache-2.0
//
// What newer kernels know and the headers of liburing 2.3 do not. Values from
// the kernel's include/uapi/linux/io_uring.h; each names the first release with
// it. All of it is probed for before use.

#ifndef RINGWAY_BACKENDS_URING_KERNEL_CONSTANTS_H_
#define RINGWAY_BACKENDS_URING_KERNEL_CONSTANTS_H_

#include <cstdint>

namespace ringway::uring {

inline constexpr uint8_t kOpWaitId = 50;    // IORING_OP_WAITID, Linux 6.7
inline constexpr uint8_t kOpTruncate = 55;  // IORING_OP_FTRUNCATE, Linux 6.9
inline constexpr uint8_t kOpBind = 56;      // IORING_OP_BIND, Linux 6.11
inline constexpr uint8_t kOpListen = 57;    // IORING_OP_LISTEN, Linux 6.11

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_KERNEL_CONSTANTS_H_
