// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/unix/peer_credentials.h"

#include <sys/socket.h>

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"

namespace ringway::net {
namespace {

// include/uapi/asm-generic/socket.h; older C libraries do not have it.
constexpr int kPeerPidFd = 77;

absl::Status GetOption(const TcpStream& stream, int option, void* value,
                       socklen_t length, std::string_view name) {
  if (!stream.valid())
    return absl::FailedPreconditionError("the stream is closed");
  SocketCalls& sockets = internal::StreamAccess::CoreOf(stream)->sockets();
  const int error =
      sockets.GetOption(stream.fd(), SOL_SOCKET, option, value, length);
  if (error == 0) return absl::OkStatus();
  return ErrnoToStatus(-error, absl::StrCat("getsockopt ", name));
}

}  // namespace

absl::StatusOr<PeerCredentials> PeerCredentialsOf(const TcpStream& stream) {
  ucred credentials = {};
  absl::Status got = GetOption(stream, SO_PEERCRED, &credentials,
                               sizeof(credentials), "SO_PEERCRED");
  if (!got.ok()) return got;
  // What the kernel says of other sockets.
  if (credentials.pid == 0)
    return absl::InvalidArgumentError("the stream is no Unix socket");
  PeerCredentials peer;
  peer.pid = credentials.pid;
  peer.uid = credentials.uid;
  peer.gid = credentials.gid;
  return peer;
}

absl::StatusOr<UniqueFd> PeerPidFd(const TcpStream& stream) {
  int fd = -1;
  absl::Status got =
      GetOption(stream, kPeerPidFd, &fd, sizeof(fd), "SO_PEERPIDFD");
  if (!got.ok()) return got;
  return UniqueFd(fd);
}

}  // namespace ringway::net
