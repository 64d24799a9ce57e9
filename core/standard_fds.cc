// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/standard_fds.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "ringway/core/errno_status.h"

namespace ringway {
namespace {

bool IsClosed(int fd) { return fcntl(fd, F_GETFD) < 0; }

}  // namespace

absl::Status HoldStandardFds() {
  while (IsClosed(STDIN_FILENO) || IsClosed(STDOUT_FILENO) ||
         IsClosed(STDERR_FILENO)) {
    // Gets the lowest free number, which is one of them unless another thread
    // was faster.
    const int fd = open("/dev/null", O_RDWR);
    if (fd < 0) {
      return ErrnoToStatus(errno,
                           "opening /dev/null to hold a closed fd 0, 1 or 2");
    }
    if (fd > STDERR_FILENO) close(fd);
  }
  return absl::OkStatus();
}

}  // namespace ringway
