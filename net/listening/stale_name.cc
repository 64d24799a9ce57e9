// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/listening/stale_name.h"

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"

namespace ringway::net::internal {

absl::Status RemoveStaleName(SocketCalls& sockets,
                             const SocketAddress& address) {
  const int error = sockets.RemoveStaleName(address.data(), address.size());
  if (error == 0) return absl::OkStatus();
  const std::string bind = absl::StrCat("bind to ", address.ToString());
  switch (-error) {
    case EEXIST:
      return ErrnoToStatus(
          EADDRINUSE,
          absl::StrCat(bind, ": a file that is not a socket exists there"));
    case EAGAIN:
      return ErrnoToStatus(EADDRINUSE,
                           absl::StrCat(bind,
                                        ": a stale socket in a directory that "
                                        "another process keeps locked"));
    default:
      return ErrnoToStatus(-error, bind);
  }
}

}  // namespace ringway::net::internal
