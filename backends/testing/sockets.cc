// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/testing/sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "ringway/backends/common/kernel_sockets.h"
#include "ringway/core/check.h"

namespace ringway::testing {
namespace {

// Returns `rc`; aborts if it is an error of `what`.
int Must(int rc, const char* what) {
  RINGWAY_CHECK(rc >= 0, "%s: %s", what, strerror(errno));
  return rc;
}

}  // namespace

SocketCalls& KernelSockets() { return BlockingSockets(); }

FdPair MakeSocketPair() {
  int fds[2];
  Must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), "socketpair");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

FdPair MakePipe() {
  int fds[2];
  Must(pipe2(fds, O_CLOEXEC), "pipe2");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

UniqueFd MakeTcpSocket() {
  return UniqueFd(
      Must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
}

UniqueFd Listen(int backlog, uint16_t port) {
  UniqueFd fd = MakeTcpSocket();
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Must(bind(fd.get(), AsSockaddr(address), sizeof(address)), "bind");
  Must(listen(fd.get(), backlog), "listen");
  return fd;
}

sockaddr_in AddressOf(int fd) {
  sockaddr_in address = {};
  socklen_t length = sizeof(address);
  Must(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length),
       "getsockname");
  return address;
}

UniqueFd ConnectTo(const sockaddr_in& address) {
  UniqueFd fd = MakeTcpSocket();
  int rc;
  do {
    rc = connect(fd.get(), AsSockaddr(address), sizeof(address));
  } while (rc < 0 && errno == EINTR);
  Must(rc, "connect");
  return fd;
}

FdPair FillAcceptQueue(int listener) {
  Must(listen(listener, 0), "listen");
  // A backlog of 0 still accepts one connection. A second, pending attempt
  // makes sure that the queue is full.
  const sockaddr_in address = AddressOf(listener);
  UniqueFd established = ConnectTo(address);
  UniqueFd hanging = MakeTcpSocket();
  Must(fcntl(hanging.get(), F_SETFL, O_NONBLOCK), "fcntl");
  RINGWAY_CHECK(
      connect(hanging.get(), AsSockaddr(address), sizeof(address)) < 0 &&
          errno == EINPROGRESS,
      "a full accept queue took a connection");
  return {std::move(established), std::move(hanging)};
}

UniqueFd MakeFile(std::string_view content) {
  // Not a memfd, because cached reads on ordinary file systems need no
  // thread.
  const char* directory = getenv("TEST_TMPDIR");
  UniqueFd fd(Must(open(directory != nullptr ? directory : "/tmp",
                        O_TMPFILE | O_RDWR | O_CLOEXEC, 0600),
                   "open of a temporary file"));
  Must(static_cast<int>(
           pwrite(fd.get(), content.data(), content.size(), /*offset=*/0)),
       "pwrite");
  return fd;
}

void SendAll(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t n = send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    data.remove_prefix(static_cast<size_t>(Must(static_cast<int>(n), "send")));
  }
}

size_t CountOpenFds() {
  DIR* directory = opendir("/proc/self/fd");
  RINGWAY_CHECK(directory != nullptr, "/proc/self/fd: %s", strerror(errno));
  size_t n = 0;
  while (readdir(directory) != nullptr) ++n;
  closedir(directory);
  return n - 3;  // ".", ".." and the directory's own
}

}  // namespace ringway::testing
