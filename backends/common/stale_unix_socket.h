// SPDX-License-Identifier: Apache-2.0
//
// What a server that has died leaves behind: the path of its Unix socket.
//
// Nothing removes it but the next server, which must not take the path of one
// that lives. Asking and removing are two steps, and between them another
// starter may have removed the path and bound it anew: that one would lose it.
// So both happen under a lock, flock(2) on the directory. It is gone with the
// process that holds it, leaves no file behind, and is the same for every name
// of the directory. A starter that has bound the path answers from then on, so
// binding needs no lock.

#ifndef RINGWAY_BACKENDS_COMMON_STALE_UNIX_SOCKET_H_
#define RINGWAY_BACKENDS_COMMON_STALE_UNIX_SOCKET_H_

#include <sys/socket.h>

namespace ringway {

// Removes the path of `address`, a Unix address, if a socket is there that no
// socket is bound to any more. Anything else stays. So does a stale socket in a
// directory that may not be read or written, of which bind(2) then says
// EADDRINUSE.
//
// Returns 0, or -errno: EEXIST, something is there that is no socket; EAGAIN,
// others hold the directory's lock for more than a second.
// Cost: without a stale socket a system call or three; abstract names none.
int RemoveStaleUnixSocket(const sockaddr* address, socklen_t length);

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_STALE_UNIX_SOCKET_H_
