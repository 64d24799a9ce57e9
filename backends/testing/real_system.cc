// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/testing/real_system.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "ringway/backends/common/or_errno.h"
#include "ringway/backends/make_backend.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/check.h"
#include "ringway/core/unique_fd.h"

namespace ringway::testing {
namespace {

int64_t Must(int64_t rc, const char* what) {
  RINGWAY_CHECK(rc >= 0, "%s: %s", what, strerror(errno));
  return rc;
}

bool IsReady(int fd, short events) {
  pollfd ready = {fd, events, 0};
  return poll(&ready, 1, /*timeout=*/0) == 1 && (ready.revents & events) != 0;
}

// For pipes and files: transfers that neither wait nor change flags that an
// operation in flight may depend on. A pipe used by splice(2) no longer
// supports RWF_NOWAIT (EOPNOTSUPP), but poll(2) reports its readiness.

int64_t WriteNow(int fd, std::string_view data) {
  const iovec part = {const_cast<char*>(data.data()), data.size()};
  const int64_t n = OrErrno(pwritev2(fd, &part, 1, /*offset=*/-1, RWF_NOWAIT));
  if (n != -EOPNOTSUPP) return n;
  if (!IsReady(fd, POLLOUT)) return -EAGAIN;
  return OrErrno(
      write(fd, data.data(), std::min<size_t>(data.size(), PIPE_BUF)));
}

int64_t ReadNow(int fd, std::span<char> into) {
  const iovec part = {into.data(), into.size()};
  const int64_t n = OrErrno(preadv2(fd, &part, 1, /*offset=*/-1, RWF_NOWAIT));
  if (n != -EOPNOTSUPP) return n;
  if (!IsReady(fd, POLLIN)) return -EAGAIN;
  return OrErrno(read(fd, into.data(), into.size()));
}

class RealSystem final : public System {
 public:
  ~RealSystem() override {
    for (const std::string& directory : directories_) {
      std::error_code ignored;  // a failed test may have left files
      std::filesystem::remove_all(directory, ignored);
    }
  }

  absl::StatusOr<std::unique_ptr<Backend>> MakeBackend(
      const BackendOptions& options) override {
    return ringway::MakeBackend(options);
  }

  bool is_kernel() const override { return true; }
  SocketCalls& sockets() override { return KernelSockets(); }

  TestFdPair SocketPair(int type) override {
    int fds[2];
    Must(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), "socketpair");
    return {Own(fds[0]), Own(fds[1])};
  }

  TestFdPair Pipe() override { return Adopt(MakePipe()); }

  TestFd TcpListener(int backlog, uint16_t port) override {
    return Adopt(Listen(backlog, port));
  }

  TestFd TcpSocket() override { return Adopt(MakeTcpSocket()); }

  TestFd UdpSocket() override {
    TestFd fd = Own(static_cast<int>(
        Must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket")));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    Must(bind(fd.get(), AsSockaddr(address), sizeof(address)), "bind");
    return fd;
  }

  TestFd ConnectTo(const sockaddr_in& address) override {
    return Adopt(testing::ConnectTo(address));
  }

  TestFd Accept(int listener) override {
    if (!IsReady(listener, POLLIN)) return {};
    return Own(static_cast<int>(
        Must(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept4")));
  }

  TestFdPair FillAcceptQueue(int listener) override {
    return Adopt(testing::FillAcceptQueue(listener));
  }

  TestFd File(std::string_view content) override {
    return Adopt(MakeFile(content));
  }

  std::string Directory() override {
    // Not in TEST_TMPDIR, whose path alone may be longer than a Unix address.
    std::string path = "/tmp/ringway.XXXXXX";
    RINGWAY_CHECK(mkdtemp(path.data()) != nullptr, "mkdtemp: %s",
                  strerror(errno));
    directories_.push_back(path);
    return path;
  }

  int64_t Send(int fd, std::string_view data) override {
    const int64_t n = OrErrno(
        send(fd, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    return n == -ENOTSOCK ? WriteNow(fd, data) : n;
  }

  int64_t SendTo(int fd, std::string_view data,
                 const sockaddr_in& address) override {
    return OrErrno(sendto(fd, data.data(), data.size(), MSG_DONTWAIT,
                          AsSockaddr(address), sizeof(address)));
  }

  int64_t ReceiveInto(int fd, std::span<char> to) override {
    const int64_t n = OrErrno(recv(fd, to.data(), to.size(), MSG_DONTWAIT));
    return n == -ENOTSOCK ? ReadNow(fd, to) : n;
  }

  int ShutdownWrite(int fd) override {
    return static_cast<int>(OrErrno(shutdown(fd, SHUT_WR)));
  }

  void Shrink(int fd) override {
    const int least = 1;  // the kernel raises it to its minimum
    for (int option : {SO_SNDBUF, SO_RCVBUF}) {
      Must(setsockopt(fd, SOL_SOCKET, option, &least, sizeof(least)),
           "setsockopt of a buffer size");
    }
  }

  void ResetPeer(TestFd fd) override {
    const linger at_once = {1, 0};
    Must(setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)),
         "setsockopt(SO_LINGER)");
    fd.Reset();
  }

  int Close(int fd) override { return static_cast<int>(OrErrno(close(fd))); }

  sockaddr_in AddressOf(int fd) override { return testing::AddressOf(fd); }

  bool AtEnd(int fd) override {
    char byte;
    const int64_t n = OrErrno(recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT));
    if (n != -ENOTSOCK) return n == 0;
    pollfd ready = {fd, POLLIN, 0};
    return poll(&ready, 1, /*timeout=*/0) == 1 && ready.revents == POLLHUP;
  }

  std::string Content(int fd) override {
    struct stat status;
    Must(fstat(fd, &status), "fstat");
    std::string content(static_cast<size_t>(status.st_size), '\0');
    const int64_t n =
        Must(pread(fd, content.data(), content.size(), /*offset=*/0), "pread");
    RINGWAY_CHECK(n == status.st_size, "pread of a test file was short");
    return content;
  }

  int64_t Position(int fd) override {
    return Must(lseek(fd, 0, SEEK_CUR), "lseek");
  }

  bool IsOpen(int fd) override { return fcntl(fd, F_GETFD) >= 0; }

  bool IsCloseOnExec(int fd) override {
    return (Must(fcntl(fd, F_GETFD), "fcntl") & FD_CLOEXEC) != 0;
  }

  size_t OpenFds() override { return CountOpenFds(); }

 private:
  TestFd Adopt(UniqueFd fd) { return Own(fd.Release()); }
  TestFdPair Adopt(FdPair fds) {
    return {Adopt(std::move(fds.first)), Adopt(std::move(fds.second))};
  }

  std::vector<std::string> directories_;
};

}  // namespace

std::unique_ptr<System> MakeRealSystem() {
  return std::make_unique<RealSystem>();
}

}  // namespace ringway::testing
