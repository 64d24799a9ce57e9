// SPDX-License-Identifier: Apache-2.0
//
// System: what a test does around a backend. It makes pairs, peers and files,
// and looks at what became of them, beside the operations under test.
//
// The kernel is one system (real_system.h), a simulated world is another, so
// that one suite serves the backends of both: whatever a conformance test does
// to an fd goes through here or through an operation, never through a system
// call of its own. Functions that make something abort when they cannot: a
// test's scaffolding must not fail in silence. None blocks.
//
//   TestFdPair sockets = system().SocketPair();
//   system().Send(sockets.second.get(), "hello");
//   PrepareRecv(op, sockets.first.get(), buffer);

#ifndef RINGWAY_BACKENDS_TESTING_SYSTEM_H_
#define RINGWAY_BACKENDS_TESTING_SYSTEM_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/socket_calls.h"

namespace ringway::testing {

class System;

// Owns an fd of a system and closes it once. Must not outlive the system.
class [[nodiscard]] TestFd {
 public:
  TestFd() = default;
  TestFd(System* system, int fd) : system_(system), fd_(fd) {}
  TestFd(TestFd&& other) noexcept
      : system_(other.system_), fd_(other.Release()) {}
  TestFd& operator=(TestFd&& other) noexcept;
  ~TestFd() { Reset(); }

  // The fd, or -1 when it owns none.
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

  // Gives the fd up without closing it.
  int Release() { return std::exchange(fd_, -1); }

  // Closes what it owns; aborts if somebody else has closed it already.
  void Reset();

 private:
  System* system_ = nullptr;
  int fd_ = -1;
};

struct TestFdPair {
  TestFd first;   // a pipe's read end
  TestFd second;  // a pipe's write end
};

class System {
 public:
  virtual ~System() = default;

  // A backend whose operations take this system's fds.
  virtual absl::StatusOr<std::unique_ptr<Backend>> MakeBackend(
      const BackendOptions& options) = 0;

  // True for the kernel, whose fds every system call takes.
  virtual bool is_kernel() const = 0;

  // What is done to its sockets, in blocking mode. Nothing fails by a fault.
  virtual SocketCalls& sockets() = 0;

  // --- Making. All of it in blocking mode.

  // Connected Unix sockets: SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.
  virtual TestFdPair SocketPair(int type) = 0;
  TestFdPair SocketPair() { return SocketPair(SOCK_STREAM); }
  virtual TestFdPair Pipe() = 0;

  // Listens on 127.0.0.1. Port 0: one that is free. No SO_REUSEADDR.
  virtual TestFd TcpListener(int backlog, uint16_t port) = 0;
  TestFd TcpListener(int backlog) { return TcpListener(backlog, /*port=*/0); }
  virtual TestFd TcpSocket() = 0;
  // Bound to 127.0.0.1 and a free port.
  virtual TestFd UdpSocket() = 0;
  // A connection to `address`, established.
  virtual TestFd ConnectTo(const sockaddr_in& address) = 0;
  // The next connection in the queue of `listener`; none if that is empty.
  virtual TestFd Accept(int listener) = 0;
  // Connections to `listener` until its queue is full: the next one hangs.
  virtual TestFdPair FillAcceptQueue(int listener) = 0;

  // A nameless file, open for reading and writing, positioned at its start.
  virtual TestFd File(std::string_view content) = 0;
  // The path of a fresh, empty directory, which goes when the system does.
  // Absolute, and short enough for the addresses of Unix sockets in it.
  virtual std::string Directory() = 0;

  // Takes over what an operation has made.
  TestFd Own(int fd) { return TestFd(this, fd); }

  // --- Acting as the peer.

  // Writes what fits now. Returns bytes or -errno (-EAGAIN: nothing fits).
  virtual int64_t Send(int fd, std::string_view data) = 0;
  // One datagram. Returns bytes or -errno.
  virtual int64_t SendTo(int fd, std::string_view data,
                         const sockaddr_in& address) = 0;
  // Up to so many bytes, or one datagram, of what is there now. Returns bytes,
  // 0 at the end, or -errno (-EAGAIN: there is nothing yet).
  virtual int64_t ReceiveInto(int fd, std::span<char> to) = 0;
  // The same as a string, which is empty at the end and after an error.
  std::string Receive(int fd, size_t max);
  // Returns 0 or -errno.
  virtual int ShutdownWrite(int fd) = 0;
  // Gives a socket the smallest buffers there are, in both directions.
  virtual void Shrink(int fd) = 0;
  // Closes a connection so that its peer sees a reset.
  virtual void ResetPeer(TestFd fd) = 0;
  // Returns 0 or -errno.
  virtual int Close(int fd) = 0;

  // --- Looking.

  virtual sockaddr_in AddressOf(int fd) = 0;
  // True if the peer has closed its side and everything it sent was received.
  virtual bool AtEnd(int fd) = 0;
  // The whole of a file, and the position of its fd.
  virtual std::string Content(int fd) = 0;
  virtual int64_t Position(int fd) = 0;
  virtual bool IsOpen(int fd) = 0;
  virtual bool IsCloseOnExec(int fd) = 0;
  // How many fds there are.
  virtual size_t OpenFds() = 0;
  // What was done that no correct program does, as far as the system tells.
  virtual std::vector<std::string> Mistakes() { return {}; }
};

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_SYSTEM_H_
