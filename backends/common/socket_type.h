// SPDX-License-Identifier: Apache-2.0
//
// KeepsBoundaries: what an empty receive means.

#ifndef RINGWAY_BACKENDS_COMMON_SOCKET_TYPE_H_
#define RINGWAY_BACKENDS_COMMON_SOCKET_TYPE_H_

namespace ringway {

// True for a socket whose receives are datagrams: none is joined to another,
// and an empty one is a message like any other. False for a stream, and for
// SOCK_SEQPACKET: what they receive last, and again and again, is empty. (An
// empty packet of SOCK_SEQPACKET looks the same and counts as the end.)
// Cost: a system call.
bool KeepsBoundaries(int fd);

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_SOCKET_TYPE_H_
