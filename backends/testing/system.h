// SPDX-License-Identifier: Apache-2.0
//
// System: the environment of a backend under test. It makes socket pairs,
// peers and files and checks their state, independently of the operations
// under test.
//
// The kernel is one system (real_system.h), a simulated world is another, so
// that one suite tests the backends of both: conformance tests use fds
// through this class or through operations, never through system calls of
// their own. Functions that create something abort on failure. None blocks.
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

  // The fd, or -1 if it owns none.
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

  // Releases ownership without closing the fd.
  int Release() { return std::exchange(fd_, -1); }

  // Closes the fd; aborts if it was closed elsewhere already.
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

  // Makes a backend whose operations take this system's fds.
  virtual absl::StatusOr<std::unique_ptr<Backend>> MakeBackend(
      const BackendOptions& options) = 0;

  // True for the kernel, whose fds work with system calls.
  virtual bool is_kernel() const = 0;

  // The calls for its sockets, in blocking mode, without injected faults.
  virtual SocketCalls& sockets() = 0;

  // --- Creating, all in blocking mode.

  // Connected Unix sockets: SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.
  virtual TestFdPair SocketPair(int type) = 0;
  TestFdPair SocketPair() { return SocketPair(SOCK_STREAM); }
  virtual TestFdPair Pipe() = 0;

  // Listens on 127.0.0.1; port 0 chooses a free port. No SO_REUSEADDR.
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
  // The absolute path of a new, empty directory, which is removed with the
  // system. Short enough for the addresses of Unix sockets in it.
  virtual std::string Directory() = 0;

  // Takes ownership of an fd that an operation has created.
  TestFd Own(int fd) { return TestFd(this, fd); }

  // --- Acting as the peer.

  // Writes as much as fits now. Returns bytes or -errno (-EAGAIN: nothing
  // fits).
  virtual int64_t Send(int fd, std::string_view data) = 0;
  // One datagram. Returns bytes or -errno.
  virtual int64_t SendTo(int fd, std::string_view data,
                         const sockaddr_in& address) = 0;
  // Receives available bytes, or one datagram. Returns bytes, 0 at the end,
  // or -errno (-EAGAIN: nothing available).
  virtual int64_t ReceiveInto(int fd, std::span<char> to) = 0;
  // The same as a string, which is empty at the end and after an error.
  std::string Receive(int fd, size_t max);
  // Returns 0 or -errno.
  virtual int ShutdownWrite(int fd) = 0;
  // Sets a socket's buffers to the minimum, in both directions.
  virtual void Shrink(int fd) = 0;
  // Closes a connection so that its peer sees a reset.
  virtual void ResetPeer(TestFd fd) = 0;
  // Returns 0 or -errno.
  virtual int Close(int fd) = 0;

  // --- Checking.

  virtual sockaddr_in AddressOf(int fd) = 0;
  // True if the peer has closed its side and everything it sent was received.
  virtual bool AtEnd(int fd) = 0;
  // The content of a file, and the position of its fd.
  virtual std::string Content(int fd) = 0;
  virtual int64_t Position(int fd) = 0;
  virtual bool IsOpen(int fd) = 0;
  virtual bool IsCloseOnExec(int fd) = 0;
  // The number of open fds.
  virtual size_t OpenFds() = 0;
  // Mistakes of the program, as far as the system detects them.
  virtual std::vector<std::string> Mistakes() { return {}; }
};

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_SYSTEM_H_
