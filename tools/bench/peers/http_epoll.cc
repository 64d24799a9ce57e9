// SPDX-License-Identifier: Apache-2.0
//
// A responder for HTTP by hand on epoll, as a floor: it parses nothing, and
// answers each empty line with the same response.
//
//   http_epoll [--listen=ADDRESS] [--pin=CPU] [--bytes=N]

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "ringway/tools/bench/peers/epoll_server.h"
#include "ringway/tools/bench/peers/http_answer.h"
#include "ringway/tools/bench/peers/peer.h"

namespace {

struct Connection {
  peer::EmptyLines lines;
  std::string unsent;
};

class HttpEpoll final : public peer::EpollServer<HttpEpoll, Connection> {
 public:
  HttpEpoll(int listener, int termination, size_t n_bytes)
      : EpollServer(listener, termination),
        response_(peer::ResponseOf(n_bytes)) {}

 private:
  friend EpollServer;

  static std::unique_ptr<Connection> Open(int /*fd*/) {
    return std::make_unique<Connection>();
  }

  void Serve(int fd, Connection& connection) {
    if (!connection.unsent.empty()) {
      const std::string unsent = std::exchange(connection.unsent, {});
      if (!Send(fd, connection, unsent)) return;
      WaitFor(EPOLLIN, fd);
    }
    const ssize_t n = recv(fd, buffer_.data(), buffer_.size(), 0);
    if (n <= 0) {
      if (!Waits(n)) Close(fd);
      return;
    }
    for (size_t n_due =
             connection.lines.Count(buffer_.data(), static_cast<size_t>(n));
         n_due > 0; --n_due) {
      if (!Send(fd, connection, response_)) return;
    }
  }

  // False if it has to wait, with what it has to send kept, or has failed.
  bool Send(int fd, Connection& connection, const std::string& text) {
    const ssize_t n = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n == static_cast<ssize_t>(text.size())) return true;
    if (n < 0 && !Waits(n)) {
      Close(fd);
      return false;
    }
    connection.unsent = text.substr(n < 0 ? 0 : static_cast<size_t>(n));
    WaitFor(EPOLLOUT, fd);
    return false;
  }

  const std::string response_;
  std::array<char, 64 * 1024> buffer_;
};

}  // namespace

int main(int argc, char** argv) {
  const peer::HttpFlags flags = peer::ParseHttpFlags(argc, argv);
  const int termination = peer::CatchTermination();
  const auto server = std::make_unique<HttpEpoll>(
      peer::ListenOn(argv[0], flags.listen, flags.pin), termination,
      flags.n_bytes);
  server->Run();
  return 0;
}
