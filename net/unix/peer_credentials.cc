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

// `core`: null if it is closed.
absl::Status GetOption(const internal::StreamCore* core, int option,
                       void* value, socklen_t length, std::string_view name) {
  if (core == nullptr)
    return absl::FailedPreconditionError("the stream is closed");
  const int error =
      core->sockets().GetOption(core->fd(), SOL_SOCKET, option, value, length);
  if (error == 0) return absl::OkStatus();
  return ErrnoToStatus(-error, absl::StrCat("getsockopt ", name));
}

absl::StatusOr<PeerCredentials> CredentialsOf(
    const internal::StreamCore* core) {
  ucred credentials = {};
  absl::Status got = GetOption(core, SO_PEERCRED, &credentials,
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

absl::StatusOr<UniqueFd> PidFdOf(const internal::StreamCore* core) {
  int fd = -1;
  absl::Status got =
      GetOption(core, kPeerPidFd, &fd, sizeof(fd), "SO_PEERPIDFD");
  if (!got.ok()) return got;
  return UniqueFd(fd);
}

const internal::StreamCore* CoreOf(const TcpStream& stream) {
  return stream.valid() ? internal::StreamAccess::CoreOf(stream) : nullptr;
}

const internal::StreamCore* CoreOf(const SeqPacketSocket& socket) {
  return socket.valid() ? internal::SeqPacketAccess::CoreOf(socket) : nullptr;
}

}  // namespace

absl::StatusOr<PeerCredentials> PeerCredentialsOf(const TcpStream& stream) {
  return CredentialsOf(CoreOf(stream));
}

absl::StatusOr<PeerCredentials> PeerCredentialsOf(
    const SeqPacketSocket& socket) {
  return CredentialsOf(CoreOf(socket));
}

absl::StatusOr<UniqueFd> PeerPidFd(const TcpStream& stream) {
  return PidFdOf(CoreOf(stream));
}

absl::StatusOr<UniqueFd> PeerPidFd(const SeqPacketSocket& socket) {
  return PidFdOf(CoreOf(socket));
}

}  // namespace ringway::net
