// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/kernel_sockets.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "ringway/backends/common/or_errno.h"
#include "ringway/backends/common/stale_unix_socket.h"

namespace ringway {
namespace {

class KernelSockets final : public SocketCalls {
 public:
  explicit KernelSockets(bool non_blocking)
      : flags_(SOCK_CLOEXEC | (non_blocking ? SOCK_NONBLOCK : 0)),
        mode_(non_blocking ? O_NONBLOCK : 0) {}

  int Pair(int type, int (&fds)[2]) override {
    return OrErrno(socketpair(AF_UNIX, type | flags_, 0, fds));
  }

  int Duplicate(int fd) override {
    return OrErrno(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  }

  int SetMode(int fd) override {
    const int mode = fcntl(fd, F_GETFL);
    if (mode < 0) return -errno;
    if ((mode & O_NONBLOCK) == mode_) return 0;
    return OrErrno(fcntl(fd, F_SETFL, mode ^ O_NONBLOCK));
  }

  int Bind(int fd, const sockaddr* address, socklen_t length) override {
    return OrErrno(bind(fd, address, length));
  }

  int Listen(int fd, int backlog) override {
    return OrErrno(listen(fd, backlog));
  }

  int Connect(int fd, const sockaddr* address, socklen_t length) override {
    return OrErrno(connect(fd, address, length));
  }

  int LocalName(int fd, sockaddr_storage& name, socklen_t& length) override {
    length = sizeof(name);
    return OrErrno(
        getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length));
  }

  int PeerName(int fd, sockaddr_storage& name, socklen_t& length) override {
    length = sizeof(name);
    return OrErrno(
        getpeername(fd, reinterpret_cast<sockaddr*>(&name), &length));
  }

  int RemoveStaleName(const sockaddr* address, socklen_t length) override {
    return RemoveStaleUnixSocket(address, length);
  }

  int IsReadable(int fd) override {
    pollfd poll_fd = {fd, POLLIN, 0};
    const int n = OrErrno(poll(&poll_fd, 1, /*timeout=*/0));
    if (n <= 0) return n;
    return (poll_fd.revents & POLLNVAL) != 0 ? -EBADF : 1;
  }

  int SendMessages(int fd, mmsghdr* messages, unsigned n_messages) override {
    return OrErrno(sendmmsg(fd, messages, n_messages, MSG_DONTWAIT));
  }

  int SetOption(int fd, int level, int option, const void* value,
                socklen_t length) override {
    return OrErrno(setsockopt(fd, level, option, value, length));
  }

  int GetOption(int fd, int level, int option, void* value,
                socklen_t& length) override {
    return OrErrno(getsockopt(fd, level, option, value, &length));
  }

 private:
  int MakeFd(int family, int type, int protocol) override {
    return OrErrno(socket(family, type | flags_, protocol));
  }
  int CloseFd(int fd) override { return OrErrno(close(fd)); }

  const int flags_;
  const int mode_;
};

}  // namespace

SocketCalls& BlockingSockets() {
  static KernelSockets& sockets = *new KernelSockets(/*non_blocking=*/false);
  return sockets;
}

SocketCalls& NonBlockingSockets() {
  static KernelSockets& sockets = *new KernelSockets(/*non_blocking=*/true);
  return sockets;
}

}  // namespace ringway
