// SPDX-License-Identifier: Apache-2.0
//
// An echo server on epoll by hand, as fast as that goes with one thread: what
// Ringway's is measured against.
//
// Level-triggered; one recv and one send per readable connection, the send
// tried at once; one receive buffer, always warm in the cache, for all of them.
// What a peer does not take is kept, and no more is read from it until it has.

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "ringway/tools/bench/peers/epoll_server.h"
#include "ringway/tools/bench/peers/peer.h"

namespace {

struct Connection {
  std::vector<char> unsent;
  size_t sent = 0;  // of these
};

class EpollEcho final : public peer::EpollServer<EpollEcho, Connection> {
 public:
  EpollEcho(int listener, int termination)
      : EpollServer(listener, termination) {}

 private:
  friend EpollServer;

  static std::unique_ptr<Connection> Open(int /*fd*/) {
    return std::make_unique<Connection>();
  }

  void Serve(int fd, Connection& connection) {
    if (connection.unsent.empty()) {
      Echo(fd, connection);
    } else {
      SendRest(fd, connection);
    }
  }

  void Echo(int fd, Connection& connection) {
    const ssize_t n = recv(fd, buffer_.data(), buffer_.size(), 0);
    if (n <= 0) {
      if (!Waits(n)) Close(fd);
      return;
    }
    ssize_t sent =
        send(fd, buffer_.data(), static_cast<size_t>(n), MSG_NOSIGNAL);
    if (sent == n) return;
    if (sent < 0) {
      if (!Waits(sent)) return Close(fd);
      sent = 0;
    }
    connection.unsent.assign(buffer_.data() + sent, buffer_.data() + n);
    connection.sent = 0;
    WaitFor(EPOLLOUT, fd);
  }

  void SendRest(int fd, Connection& connection) {
    const ssize_t n =
        send(fd, connection.unsent.data() + connection.sent,
             connection.unsent.size() - connection.sent, MSG_NOSIGNAL);
    if (n < 0) {
      if (!Waits(n)) Close(fd);
      return;
    }
    connection.sent += static_cast<size_t>(n);
    if (connection.sent < connection.unsent.size()) return;
    connection.unsent.clear();
    WaitFor(EPOLLIN, fd);
  }

  std::array<char, 64 * 1024> buffer_;
};

}  // namespace

int main(int argc, char** argv) {
  const int termination = peer::CatchTermination();
  const auto server =
      std::make_unique<EpollEcho>(peer::ListenAsTold(argc, argv), termination);
  server->Run();
  return 0;
}
