// SPDX-License-Identifier: Apache-2.0
//
// KeepsBoundaries: whether an empty receive is a message or the end of
// stream.

#ifndef RINGWAY_BACKENDS_COMMON_SOCKET_TYPE_H_
#define RINGWAY_BACKENDS_COMMON_SOCKET_TYPE_H_

namespace ringway {

// True for datagram sockets, for which an empty receive is a message. False
// for streams and SOCK_SEQPACKET, for which an empty receive is the end. (An
// empty packet of SOCK_SEQPACKET looks the same and counts as the end.)
// Cost: a system call.
bool KeepsBoundaries(int fd);

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_SOCKET_TYPE_H_
