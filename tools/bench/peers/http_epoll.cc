// SPDX-License-Identifier: Apache-2.0
//
// A responder for HTTP by hand on epoll, as a floor: it parses nothing, and
// answers each empty line with the same response.
//
//   http_epoll [--listen=ADDRESS] [--pin=CPU] [--bytes=N]

#include <getopt.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "ringway/tools/bench/peers/epoll_server.h"
#include "ringway/tools/bench/peers/peer.h"

namespace {

struct Connection {
  size_t matched = 0;  // of the empty line
  std::string unsent;
};

class HttpEpoll final : public peer::EpollServer<HttpEpoll, Connection> {
 public:
  HttpEpoll(int listener, int termination, size_t n_bytes)
      : EpollServer(listener, termination),
        response_(
            "HTTP/1.1 200 OK\r\nServer: by hand\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: text/plain\r\n"
            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "ETag: \"0123456789abcdef\"\r\nContent-Length: " +
            std::to_string(n_bytes) + "\r\n\r\n" + std::string(n_bytes, 'x')) {}

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
    static constexpr std::string_view kEmptyLine = "\r\n\r\n";
    for (ssize_t i = 0; i < n; ++i) {
      const char c = buffer_[static_cast<size_t>(i)];
      connection.matched = c == kEmptyLine[connection.matched]
                               ? connection.matched + 1
                           : c == '\r' ? 1
                                       : 0;
      if (connection.matched < kEmptyLine.size()) continue;
      connection.matched = 0;
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
  static const option kOptions[] = {{"listen", required_argument, nullptr, 'l'},
                                    {"pin", required_argument, nullptr, 'p'},
                                    {"bytes", required_argument, nullptr, 'b'},
                                    {}};
  std::string listen = "127.0.0.1:7878";
  int pin = -1;
  size_t bytes = 13;
  for (int c; (c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    if (c == 'l') listen = optarg;
    if (c == 'p') pin = atoi(optarg);
    if (c == 'b') bytes = strtoul(optarg, nullptr, 10);
    if (c == '?') return 2;
  }
  const int termination = peer::CatchTermination();
  const auto server = std::make_unique<HttpEpoll>(
      peer::ListenOn(argv[0], listen, pin), termination, bytes);
  server->Run();
  return 0;
}
