// SPDX-License-Identifier: Apache-2.0
//
// CancelIn: CancelFd() and CancelAll() for one of a backend's lists.

#ifndef RINGWAY_BACKENDS_COMMON_CANCEL_IN_H_
#define RINGWAY_BACKENDS_COMMON_CANCEL_IN_H_

#include <cstddef>

#include "ringway/backends/backend.h"
#include "ringway/backends/operation.h"

namespace ringway {

// Calls Cancel() for the operations in `list` that use `fd` and are not being
// cancelled yet. Returns their number. Cancel() may remove them from the
// list.
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
