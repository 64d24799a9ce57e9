// SPDX-License-Identifier: Apache-2.0
//
// A responder for HTTP by hand on epoll, as a floor: it parses nothing, and
// answers each empty line with the same response.
//
//   http_epoll [--listen=ADDRESS] [--pin=CPU] [--bytes=N]

#include <getopt.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ringway/tools/bench/peers/peer.h"

namespace {

class HttpEpoll {
 public:
  HttpEpoll(int listener, int termination, size_t n_bytes)
      : epoll_(epoll_create1(EPOLL_CLOEXEC)),
        listener_(listener),
        termination_(termination),
        response_(
            "HTTP/1.1 200 OK\r\nServer: by hand\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: text/plain\r\n"
            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "ETag: \"0123456789abcdef\"\r\nContent-Length: " +
            std::to_string(n_bytes) + "\r\n\r\n" + std::string(n_bytes, 'x')) {
    if (epoll_ < 0) peer::Die("epoll_create1");
    Watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
    Watch(EPOLL_CTL_ADD, termination_, EPOLLIN);
  }

  // Until termination.
  void Run() {
    std::array<epoll_event, 512> events;
    while (true) {
      const int n = epoll_wait(epoll_, events.data(),
                               static_cast<int>(events.size()), -1);
      if (n < 0 && errno != EINTR) peer::Die("epoll_wait");
      for (int i = 0; i < n; ++i) {
        const int fd = events[static_cast<size_t>(i)].data.fd;
        if (fd == termination_) return;
        if (fd == listener_) {
          Accept();
        } else {
          Serve(fd);
        }
      }
    }
  }

 private:
  struct Connection {
    size_t matched = 0;  // of the empty line
    std::string unsent;
  };

  void Watch(int what, int fd, uint32_t events) {
    epoll_event event = {};
    event.events = events;
    event.data.fd = fd;
    if (epoll_ctl(epoll_, what, fd, &event) != 0) peer::Die("epoll_ctl");
  }

  void Accept() {
    while (true) {
      const int fd =
          accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;  // none left, or none that can be served just now
      if (connections_.size() <= static_cast<size_t>(fd))
        connections_.resize(static_cast<size_t>(fd) * 2 + 1);
      connections_[static_cast<size_t>(fd)] = Connection();
      Watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }

  void Serve(int fd) {
    Connection& connection = connections_[static_cast<size_t>(fd)];
    if (!connection.unsent.empty()) {
      if (!Send(fd, connection, connection.unsent)) return;
      connection.unsent.clear();
      Watch(EPOLL_CTL_MOD, fd, EPOLLIN);
    }
    const ssize_t n = recv(fd, buffer_.data(), buffer_.size(), 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      close(fd);
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
    if (n < 0 && errno != EAGAIN) {
      close(fd);
      return false;
    }
    connection.unsent = text.substr(n < 0 ? 0 : static_cast<size_t>(n));
    Watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
    return false;
  }

  const int epoll_;
  const int listener_;
  const int termination_;
  const std::string response_;
  std::vector<Connection> connections_;  // by fd
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
