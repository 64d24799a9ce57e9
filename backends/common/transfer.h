// SPDX-License-Identifier: Apache-2.0
//
// Reads and writes: how much they are to transfer.

#ifndef RINGWAY_BACKENDS_COMMON_TRANSFER_H_
#define RINGWAY_BACKENDS_COMMON_TRANSFER_H_

#include <sys/uio.h>

#include <cstddef>
#include <span>

#include "ringway/backends/operation.h"

namespace ringway {

inline bool IsVectored(const Operation& op) {
  return op.opcode == OpCode::kReadv || op.opcode == OpCode::kWritev;
}

inline bool IsTransfer(const Operation& op) {
  return op.opcode == OpCode::kRead || op.opcode == OpCode::kWrite ||
         IsVectored(op);
}

// Requires IsTransfer().
inline size_t TransferLength(const Operation& op) {
  if (!IsVectored(op)) return op.length;
  size_t n_bytes = 0;
  const std::span parts(static_cast<const iovec*>(op.address), op.length);
  for (const iovec& part : parts) n_bytes += part.iov_len;
  return n_bytes;
}

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_TRANSFER_H_
