// SPDX-License-Identifier: Apache-2.0
//
// CloseUnseen: closes an fd that io_uring has made.
//
// ThreadSanitizer knows which thread had an fd number last from the calls that
// make and close fds. io_uring accepts and closes inside the kernel, so
// close(2) of an accepted connection looks to it like a race with the thread
// that had the number before. It is not told of such closes. Without it, as
// ~UniqueFd().

#ifndef RINGWAY_CORE_CLOSE_UNSEEN_H_
#define RINGWAY_CORE_CLOSE_UNSEEN_H_

#include "core/unique_fd.h"

namespace ringway {

void CloseUnseen(UniqueFd fd);

}  // namespace ringway

#endif  // RINGWAY_CORE_CLOSE_UNSEEN_H_
