// SPDX-License-Identifier: Apache-2.0
//
// SocketCalls: synchronous calls on sockets: creating, binding and closing
// them, and their options. Sockets belong to the backend whose operations use
// them: Backend::sockets() creates them in the mode it needs (io_uring:
// blocking, epoll: O_NONBLOCK), and simulated sockets exist only there. So
// layers above backends make no system calls on sockets.
//
//   SocketFd socket(calls, calls.Socket(AF_INET, SOCK_STREAM));
//   if (socket.get() < 0) return -socket.get();  // an errno
//   if (int error = calls.Bind(socket.get(), address, length); error < 0) ...

#ifndef RINGWAY_BACKENDS_SOCKET_CALLS_H_
#define RINGWAY_BACKENDS_SOCKET_CALLS_H_

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace ringway {

// None of these waits for a peer. They return the result of the system call
// of the same name, with -errno instead of -1.
//
// Threads: any for kernel sockets; for simulated ones, that of their world.
class SocketCalls {
 public:
  SocketCalls() = default;
  SocketCalls(const SocketCalls&) = delete;
  SocketCalls& operator=(const SocketCalls&) = delete;
  virtual ~SocketCalls() = default;

  // --- Creating and closing. New fds are CLOEXEC and in the backend's mode.

  // A new fd. `type`: SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET, without flags.
  // `protocol`: 0 for the usual one of both, or another, such as IPPROTO_MPTCP.
  int Socket(int family, int type, int protocol = 0) {
    return MakeFd(family, type, protocol);
  }
  // Two connected Unix sockets of `type`.
  virtual int Pair(int type, int (&fds)[2]) = 0;
  // A new fd of the same socket, never 0, 1 or 2.
  virtual int Duplicate(int fd) = 0;
  // Sets a socket created elsewhere to the backend's mode.
  virtual int SetMode(int fd) = 0;
  // Never lingers: a linger time (SO_LINGER) is removed first; a linger time
  // of 0 makes the close a reset. No operation may be in flight on the fd.
  int Close(int fd) {
    StopLingering(fd);
    return CloseFd(fd);
  }

  // --- Names.

  virtual int Bind(int fd, const sockaddr* address, socklen_t length) = 0;
  virtual int Listen(int fd, int backlog) = 0;
  // For datagram sockets, whose connect does not wait. Streams are connected
  // by an operation.
  virtual int Connect(int fd, const sockaddr* address, socklen_t length) = 0;
  // The local and the peer address. `length` receives the length of `name`.
  virtual int LocalName(int fd, sockaddr_storage& name, socklen_t& length) = 0;
  virtual int PeerName(int fd, sockaddr_storage& name, socklen_t& length) = 0;
  // Removes the path of `address`, a Unix address, if it is that of a socket
  // that is no longer bound. Returns 0 also if the path does not exist, or
  // its socket is in use, for which Bind() returns EADDRINUSE; EEXIST if the
  // file is not a socket; EAGAIN if others keep the directory locked
  // (backends/common/stale_unix_socket.h).
  virtual int RemoveStaleName(const sockaddr* address, socklen_t length) = 0;

  // 1 if a receive, or an accept of a listening socket, would find something
  // now; else 0.
  virtual int IsReadable(int fd) = 0;

  // --- Sending.

  // sendmmsg(2): sends datagrams from the front of `messages` for which there
  // is room. Returns how many, at least 1; -EAGAIN if there is no room; or the
  // error of the first. -EAGAIN also where only operations send, as in the
  // simulator.
  virtual int SendMessages(int /*fd*/, mmsghdr* /*messages*/,
                           unsigned /*n_messages*/) {
    return -EAGAIN;
  }

  // --- Options.

  virtual int SetOption(int fd, int level, int option, const void* value,
                        socklen_t length) = 0;
  virtual int GetOption(int fd, int level, int option, void* value,
                        socklen_t& length) = 0;

 private:
  virtual int MakeFd(int family, int type, int protocol) = 0;
  virtual int CloseFd(int fd) = 0;
  void StopLingering(int fd);
};

// Owns a socket and closes it once, through the SocketCalls that made it,
// which must outlive this. For sockets that no operation is using.
class [[nodiscard]] SocketFd {
 public:
  SocketFd() = default;
  // `fd` may be negative: none, or the -errno of making it.
  SocketFd(SocketCalls& calls, int fd) : calls_(&calls), fd_(fd) {}
  SocketFd(SocketFd&& other) noexcept
      : calls_(other.calls_), fd_(other.Release()) {}
  SocketFd& operator=(SocketFd&& other) noexcept {
    if (this != &other) {
      Close();
      calls_ = other.calls_;
      fd_ = other.Release();
    }
    return *this;
  }
  ~SocketFd() { Close(); }

  // The fd; negative if it owns none.
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  // The calls that made the socket. Requires valid().
  SocketCalls& calls() const { return *calls_; }

  // Releases ownership without closing the socket.
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }
  // Closes it. Returns 0, also without a socket, or -errno.
  int Close() { return valid() ? calls_->Close(Release()) : 0; }

 private:
  SocketCalls* calls_ = nullptr;
  int fd_ = -1;
};

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_SOCKET_CALLS_H_
