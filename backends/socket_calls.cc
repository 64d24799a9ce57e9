// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/socket_calls.h"

namespace ringway {

// With SO_LINGER and a time, close(2) blocks until the peer has acknowledged
// everything, or for that time (socket(7)), which would block a loop's
// thread. Without it the kernel sends the remaining bytes in the background.
// Accepted sockets inherit the option from their listener.
void SocketCalls::StopLingering(int fd) {
  linger time = {};
  socklen_t length = sizeof(time);
  const bool lingers =
      GetOption(fd, SOL_SOCKET, SO_LINGER, &time, length) == 0 &&
      time.l_onoff != 0 && time.l_linger != 0;
  if (!lingers) return;
  time.l_onoff = 0;
  SetOption(fd, SOL_SOCKET, SO_LINGER, &time, sizeof(time));
}

}  // namespace ringway
