// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/linger.h"

#include <sys/socket.h>

#include <cerrno>

namespace ringway {

void StopLingering(int fd) {
  const int saved = errno;
  linger time = {};
  socklen_t length = sizeof(time);
  const bool lingers =
      getsockopt(fd, SOL_SOCKET, SO_LINGER, &time, &length) == 0 &&
      time.l_onoff != 0 && time.l_linger != 0;
  if (lingers) {
    time.l_onoff = 0;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &time, sizeof(time));
  }
  errno = saved;
}

}  // namespace ringway
