// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/unique_fd.h"

#include <cerrno>

#include "ringway/core/check.h"

namespace ringway {

void UniqueFd::Reset(int fd) {
  const int old = std::exchange(fd_, fd);
  if (old < 0) return;
  const int saved = errno;
  // EBADF means that other code has closed the owned descriptor, so this call
  // could close an unrelated one with the same number. Linux frees the number
  // on every other error too, so none is retried.
  const int rc = ::close(old);
  RINGWAY_CHECK(rc == 0 || errno != EBADF,
                "fd %d was closed by other code than its owner", old);
  errno = saved;
}

}  // namespace ringway
