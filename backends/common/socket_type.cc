// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/socket_type.h"

#include <sys/socket.h>

namespace ringway {

bool KeepsBoundaries(int fd) {
  int type = 0;
  socklen_t length = sizeof(type);
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0) return true;
  return type != SOCK_STREAM && type != SOCK_SEQPACKET;
}

}  // namespace ringway
