// SPDX-License-Identifier: Apache-2.0
//
// PeerCredentialsOf, PeerPidFd: the process at the other end of a Unix stream
// or a SeqPacketSocket.
//
//   absl::StatusOr<net::PeerCredentials> peer = net::PeerCredentialsOf(stream);
//   const bool is_root = peer.ok() && peer->uid == 0;

#ifndef RINGWAY_NET_UNIX_PEER_CREDENTIALS_H_
#define RINGWAY_NET_UNIX_PEER_CREDENTIALS_H_

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "ringway/core/unique_fd.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/unix/seq_packet_socket.h"

namespace ringway::net {

// As of connect(2), listen(2) or socketpair(2). The number of a process that
// has ended may belong to another one: PeerPidFd() tells them apart.
struct PeerCredentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

// Errors: the errno of getsockopt(2) for SO_PEERCRED: not a Unix socket, or on
//         the simulator, which has no processes. FailedPrecondition once the
//         stream is closed.
absl::StatusOr<PeerCredentials> PeerCredentialsOf(const TcpStream& stream);
absl::StatusOr<PeerCredentials> PeerCredentialsOf(
    const SeqPacketSocket& socket);

// A pidfd of the peer, readable when it ends; see pidfd_open(2). Linux 6.5.
//
// Errors: as PeerCredentialsOf(), for SO_PEERPIDFD: ENOPROTOOPT on older
//         kernels, ESRCH or EINVAL if the process has ended.
absl::StatusOr<UniqueFd> PeerPidFd(const TcpStream& stream);
absl::StatusOr<UniqueFd> PeerPidFd(const SeqPacketSocket& socket);

}  // namespace ringway::net

#endif  // RINGWAY_NET_UNIX_PEER_CREDENTIALS_H_
