// SPDX-License-Identifier: Apache-2.0
//
// Sockets, pipes and files for tests, made by plain blocking calls. Every
// function aborts with the errno if a system call fails.

#ifndef RINGWAY_BACKENDS_TESTING_SOCKETS_H_
#define RINGWAY_BACKENDS_TESTING_SOCKETS_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ringway/backends/socket_calls.h"
#include "ringway/backends/testing/views.h"  // IWYU pragma: export
#include "ringway/core/unique_fd.h"

namespace ringway::testing {

struct FdPair {
  UniqueFd first;   // a pipe's read end
  UniqueFd second;  // a pipe's write end
};

// The kernel's sockets, in blocking mode.
SocketCalls& KernelSockets();

// A connected pair of Unix stream sockets.
FdPair MakeSocketPair();
FdPair MakePipe();

// A TCP listener on 127.0.0.1. Port 0 lets the kernel choose. No SO_REUSEADDR.
UniqueFd Listen(int backlog, uint16_t port = 0);
sockaddr_in AddressOf(int fd);
UniqueFd MakeTcpSocket();
// A connection to `address`, established.
UniqueFd ConnectTo(const sockaddr_in& address);
// Connections to `listener` until its queue is full: the next one hangs.
FdPair FillAcceptQueue(int listener);

// An unnamed file with `content`.
UniqueFd MakeFile(std::string_view content);

// Sends all of `data`; blocks.
void SendAll(int fd, std::string_view data);

// The number of open fds of this process.
size_t CountOpenFds();

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_SOCKETS_H_
