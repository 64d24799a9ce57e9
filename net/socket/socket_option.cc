// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/socket_option.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"

namespace ringway::net::internal {

absl::Status SetSocketFlag(SocketCalls& sockets, int fd, int level, int option,
                           bool value, std::string_view name) {
  const int v = value ? 1 : 0;
  const int error = sockets.SetOption(fd, level, option, &v, sizeof(v));
  if (error == 0) return absl::OkStatus();
  return ErrnoToStatus(-error, absl::StrCat("setsockopt ", name));
}

absl::Status SetV6Only(SocketCalls& sockets, int fd, bool value) {
  return SetSocketFlag(sockets, fd, IPPROTO_IPV6, IPV6_V6ONLY, value,
                       "IPV6_V6ONLY");
}

}  // namespace ringway::net::internal
