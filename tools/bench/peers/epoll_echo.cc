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
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <vector>

#include "ringway/tools/bench/peers/peer.h"

namespace {

class EpollEcho {
 public:
  EpollEcho(int listener, int termination)
      : epoll_(epoll_create1(EPOLL_CLOEXEC)),
        listener_(listener),
        termination_(termination) {
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
        } else if (connections_[static_cast<size_t>(fd)]->unsent.empty()) {
          Echo(fd);
        } else {
          SendRest(fd);
        }
      }
    }
  }

 private:
  struct Connection {
    std::vector<char> unsent;
    size_t sent = 0;  // of these
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
      connections_[static_cast<size_t>(fd)] = std::make_unique<Connection>();
      Watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }

  void Close(int fd) {
    connections_[static_cast<size_t>(fd)].reset();
    close(fd);
  }

  // `rc` of a send or recv that moved nothing: the fd is to be closed unless it
  // only had to wait.
  static bool Waits(ssize_t rc) {
    return rc < 0 && (errno == EAGAIN || errno == EINTR);
  }

  void Echo(int fd) {
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
    Connection& connection = *connections_[static_cast<size_t>(fd)];
    connection.unsent.assign(buffer_.data() + sent, buffer_.data() + n);
    connection.sent = 0;
    Watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
  }

  void SendRest(int fd) {
    Connection& connection = *connections_[static_cast<size_t>(fd)];
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
    Watch(EPOLL_CTL_MOD, fd, EPOLLIN);
  }

  const int epoll_;
  const int listener_;
  const int termination_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by fd
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
