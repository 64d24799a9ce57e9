// SPDX-License-Identifier: Apache-2.0
//
// CancelIn: what CancelFd() and CancelAll() do with one of a backend's lists.

#ifndef RINGWAY_BACKENDS_COMMON_CANCEL_IN_H_
#define RINGWAY_BACKENDS_COMMON_CANCEL_IN_H_

#include <cstddef>

#include "ringway/backends/backend.h"
#include "ringway/backends/operation.h"

namespace ringway {

// Cancel()s the operations in `list` that use `fd` and have not been asked yet.
// Returns how many. Cancel() may take them out of the list.
inline size_t CancelIn(OperationList& list, int fd, Backend& backend,
                       RunnableList& done) {
  size_t n = 0;
  for (Operation* op = list.front(); op != nullptr;) {
    Operation* next = list.Next(*op);
    if (!op->cancel_requested && (fd == kAnyFd || UsesFd(*op, fd))) {
      backend.Cancel(*op, done);
      ++n;
    }
    op = next;
  }
  return n;
}

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_CANCEL_IN_H_
