// SPDX-License-Identifier: Apache-2.0
//
// Removal of the Unix socket path that a dead server leaves behind.
//
// The next server must remove it, but not the path of a live server. Checking
// and removing are two steps; between them another starting server may remove
// the path and bind it again, and would then lose it. So both happen under a
// lock, flock(2) on the directory. The lock ends with its process, leaves no
// file behind, and is the same for every name of the directory. A server that
// has bound the path is detected as live, so binding needs no lock.

#ifndef RINGWAY_BACKENDS_COMMON_STALE_UNIX_SOCKET_H_
#define RINGWAY_BACKENDS_COMMON_STALE_UNIX_SOCKET_H_

#include <sys/socket.h>

namespace ringway {

// Removes the path of `address`, a Unix address, if it is that of a socket
// that is no longer bound. Any other file stays. So does a stale socket in a
// directory without read or write permission; bind(2) then returns
// EADDRINUSE.
//
// Returns 0, or -errno: EEXIST if the file is not a socket; EAGAIN if others
// hold the directory's lock for more than a second. Cost: without a stale
// socket one to three system calls; none for abstract names.
int RemoveStaleUnixSocket(const sockaddr* address, socklen_t length);

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_STALE_UNIX_SOCKET_H_
