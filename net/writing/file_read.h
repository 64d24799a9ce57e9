// SPDX-License-Identifier: Apache-2.0
//
// FileReadOp: reads a part of a file that is to be sent, where the kernel
// cannot send it itself: encrypted, or in frames.

#ifndef RINGWAY_NET_WRITING_FILE_READ_H_
#define RINGWAY_NET_WRITING_FILE_READ_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/operation_await.h"

namespace ringway::net::internal {

// The bytes read; 0 at the end of the file.
class [[nodiscard]] FileReadOp : public OperationAwait {
 public:
  FileReadOp(int file, std::span<std::byte> to, int64_t position) {
    PrepareRead(*this, file, to, position);
  }

  absl::StatusOr<size_t> await_resume() const {
    if (result >= 0) return static_cast<size_t>(result);
    if (result == -ECANCELED) return CancelledStatus();
    return ErrnoToStatus(-result, "read of a file to be sent");
  }
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_WRITING_FILE_READ_H_
