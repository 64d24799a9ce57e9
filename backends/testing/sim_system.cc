// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/testing/sim_system.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ringway/backends/sim/files/open_file.h"
#include "ringway/backends/sim/network/datagram_socket.h"
#include "ringway/backends/sim/network/pipe.h"
#include "ringway/backends/sim/network/stream_socket.h"
#include "ringway/backends/sim/sim_backend.h"
#include "ringway/backends/sim/sockets.h"
#include "ringway/backends/sim/world.h"
#include "ringway/core/check.h"

namespace ringway::testing {
namespace {

using sim::Address;
using sim::Buffers;
using sim::DatagramSocket;
using sim::Description;
using sim::Ipv4;
using sim::kBlocked;
using sim::OpenFile;
using sim::StreamSocket;

constexpr std::string_view kOpener = "the test";

// Returns `result`; aborts if it is an error of `what`.
int64_t Must(int64_t result, const char* what) {
  RINGWAY_CHECK(result >= 0, "%s: errno %d", what, static_cast<int>(-result));
  return result;
}

Buffers AsBuffers(std::string_view data) {
  return Buffers(const_cast<char*>(data.data()), data.size());
}

int64_t OrAgain(int64_t result) {
  return result == kBlocked ? -EAGAIN : result;
}

class SimSystem final : public System {
 public:
  absl::StatusOr<std::unique_ptr<Backend>> MakeBackend(
      const BackendOptions& options) override {
    return world_.MakeBackend(options);
  }

  bool is_kernel() const override { return false; }
  SocketCalls& sockets() override { return sockets_; }

  TestFdPair SocketPair(int type) override {
    if (type == SOCK_DGRAM) {
      return Open(DatagramSocket::MakePair(world_.environment(),
                                           world_.network(), kHost));
    }
    return Open(StreamSocket::MakePair(world_.environment(), world_.network(),
                                       kHost, type));
  }

  TestFdPair Pipe() override {
    return Open(sim::PipeEnd::MakePair(world_.environment()));
  }

  TestFd TcpListener(int backlog, uint16_t port) override {
    TestFd fd = TcpSocket();
    Must(SocketOf(fd.get()).Bind(Ipv4(kHost, port)), "bind");
    Must(SocketOf(fd.get()).Listen(backlog), "listen");
    return fd;
  }

  TestFd TcpSocket() override {
    return Open(std::make_shared<StreamSocket>(
        world_.environment(), world_.network(), AF_INET, kHost));
  }

  TestFd UdpSocket() override {
    TestFd fd = Open(std::make_shared<DatagramSocket>(
        world_.environment(), world_.network(), AF_INET, kHost));
    Must(SocketOf(fd.get()).Bind(Ipv4(kHost, 0)), "bind");
    return fd;
  }

  TestFd ConnectTo(const sockaddr_in& address) override {
    TestFd fd = TcpSocket();
    Must(SocketOf(fd.get()).Connect(Parse(address)), "connect");
    return fd;
  }

  TestFd Accept(int listener) override {
    std::shared_ptr<sim::Socket> accepted = SocketOf(listener).Accept();
    return accepted == nullptr ? TestFd() : Open(std::move(accepted));
  }

  TestFdPair FillAcceptQueue(int listener) override {
    Must(SocketOf(listener).Listen(0), "listen");
    TestFdPair fds = {ConnectTo(AddressOf(listener)), TcpSocket()};
    const int64_t second =
        SocketOf(fds.second.get()).Connect(Parse(AddressOf(listener)));
    RINGWAY_CHECK(second == kBlocked, "a full accept queue took a connection");
    return fds;
  }

  TestFd File(std::string_view content) override {
    std::shared_ptr<OpenFile> file;
    Must(world_.files().Open({nullptr, "/"}, O_TMPFILE | O_RDWR, 0600, &file),
         "open of a temporary file");
    Buffers from = AsBuffers(content);
    Must(file->Write(from, /*offset=*/0), "write");
    return Open(std::move(file));
  }

  std::string Directory() override {
    std::string path = absl::StrCat("/directory", next_directory_++);
    Must(world_.files().MakeDirectory({nullptr, path}, 0700), "mkdir");
    return path;
  }

  int64_t Send(int fd, std::string_view data) override {
    Buffers from = AsBuffers(data);
    return OrAgain(Get(fd).Write(from, /*offset=*/-1));
  }

  int64_t SendTo(int fd, std::string_view data,
                 const sockaddr_in& address) override {
    Buffers from = AsBuffers(data);
    const Address to = Parse(address);
    return OrAgain(SocketOf(fd).Send(from, &to, 0));
  }

  int64_t ReceiveInto(int fd, std::span<char> to) override {
    Buffers buffers(to.data(), to.size());
    return OrAgain(Get(fd).Read(buffers, /*offset=*/-1));
  }

  int ShutdownWrite(int fd) override {
    return static_cast<int>(SocketOf(fd).Shutdown(SHUT_WR));
  }

  void Shrink(int fd) override {
    const int least = 1;  // raised to the minimum
    for (int option : {SO_SNDBUF, SO_RCVBUF})
      SocketOf(fd).SetOption(SOL_SOCKET, option, &least, sizeof(least));
  }

  void ResetPeer(TestFd fd) override {
    const linger at_once = {1, 0};
    SocketOf(fd.get()).SetOption(SOL_SOCKET, SO_LINGER, &at_once,
                                 sizeof(at_once));
    fd.Reset();
  }

  int Close(int fd) override { return world_.fds().Close(fd, kOpener); }

  sockaddr_in AddressOf(int fd) override {
    sockaddr_in address = {};
    SocketOf(fd).local().Store(&address, sizeof(address));
    return address;
  }

  bool AtEnd(int fd) override {
    char byte;
    Buffers to(&byte, 1);
    sim::Received received;
    if (Get(fd).AsSocket() == nullptr) return Get(fd).Ready() == POLLHUP;
    return SocketOf(fd).Receive(to, MSG_PEEK, received) == 0;
  }

  std::string Content(int fd) override {
    const OpenFile& file = FileOf(fd);
    std::string content(file.inode()->content.size(), '\0');
    Buffers to(content.data(), content.size());
    file.inode()->content.Read(to, /*offset=*/0);
    return content;
  }

  int64_t Position(int fd) override { return FileOf(fd).position(); }
  bool IsOpen(int fd) override {
    return world_.fds().Get(fd, kOpener) != nullptr;
  }
  bool IsCloseOnExec(int) override { return true; }
  size_t OpenFds() override { return world_.fds().n_open(); }
  std::vector<std::string> Mistakes() override { return world_.errors(); }

 private:
  static constexpr uint32_t kHost = INADDR_LOOPBACK;

  static Address Parse(const sockaddr_in& in) {
    Address address;
    Must(Address::Parse(&in, sizeof(in), AF_INET, &address), "an address");
    return address;
  }

  TestFd Open(std::shared_ptr<Description> description) {
    return Own(static_cast<int>(
        Must(world_.fds().Open(std::move(description), kOpener), "open")));
  }
  template <typename T>
  TestFdPair Open(std::pair<std::shared_ptr<T>, std::shared_ptr<T>> pair) {
    TestFd first = Open(std::move(pair.first));
    return {std::move(first), Open(std::move(pair.second))};
  }

  Description& Get(int fd) {
    const std::shared_ptr<Description> found = world_.fds().Get(fd, kOpener);
    RINGWAY_CHECK(found != nullptr, "fd %d is not open", fd);
    return *found;
  }
  sim::Socket& SocketOf(int fd) {
    RINGWAY_CHECK(Get(fd).AsSocket() != nullptr, "fd %d is no socket", fd);
    return *Get(fd).AsSocket();
  }
  OpenFile& FileOf(int fd) {
    RINGWAY_CHECK(Get(fd).AsFile() != nullptr, "fd %d is no file", fd);
    return *Get(fd).AsFile();
  }

  sim::World world_;
  sim::Sockets sockets_{world_.environment(), world_.fds(), world_.files(),
                        world_.network(), kHost};
  int next_directory_ = 0;
};

}  // namespace

std::unique_ptr<System> MakeSimSystem() {
  return std::make_unique<SimSystem>();
}

}  // namespace ringway::testing
