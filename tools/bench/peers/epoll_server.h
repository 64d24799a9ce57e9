// SPDX-License-Identifier: Apache-2.0
//
// EpollServer: what servers by hand on epoll have in common: one thread, level
// triggered, a table of connections by fd. What they do with a connection is
// their own, and inlined.
//
//   class Echo final : public peer::EpollServer<Echo, Connection> {
//     friend EpollServer;
//     std::unique_ptr<Connection> Open(int fd);   // was accepted
//     void Serve(int fd, Connection& connection);  // an event has come
//   };

#ifndef RINGWAY_TOOLS_BENCH_PEERS_EPOLL_SERVER_H_
#define RINGWAY_TOOLS_BENCH_PEERS_EPOLL_SERVER_H_

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ringway/tools/bench/peers/peer.h"

namespace peer {

template <typename Server, typename Connection>
class EpollServer {
 public:
  // Until termination.
  void Run() {
    std::array<epoll_event, 512> events;
    while (true) {
      const int n = epoll_wait(epoll_, events.data(),
                               static_cast<int>(events.size()), -1);
      if (n < 0 && errno != EINTR) Die("epoll_wait");
      for (int i = 0; i < n; ++i) {
        const int fd = events[static_cast<size_t>(i)].data.fd;
        if (fd == termination_) return;
        if (fd == listener_) {
          Accept();
        } else {
          self().Serve(fd, *connections_[static_cast<size_t>(fd)]);
        }
      }
    }
  }

 private:
  friend Server;
  EpollServer(int listener, int termination)
      : epoll_(epoll_create1(EPOLL_CLOEXEC)),
        listener_(listener),
        termination_(termination) {
    if (epoll_ < 0) Die("epoll_create1");
    Watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
    Watch(EPOLL_CTL_ADD, termination_, EPOLLIN);
  }
  ~EpollServer() = default;

 protected:
  void WaitFor(uint32_t events, int fd) { Watch(EPOLL_CTL_MOD, fd, events); }

  // The connection is destroyed.
  void Close(int fd) {
    connections_[static_cast<size_t>(fd)].reset();
    close(fd);
  }

  // `rc` of a send or recv that moved nothing: the fd is to be closed unless it
  // only had to wait.
  static bool Waits(ssize_t rc) {
    return rc < 0 && (errno == EAGAIN || errno == EINTR);
  }

 private:
  Server& self() { return static_cast<Server&>(*this); }

  void Watch(int what, int fd, uint32_t events) {
    epoll_event event = {};
    event.events = events;
    event.data.fd = fd;
    if (epoll_ctl(epoll_, what, fd, &event) != 0) Die("epoll_ctl");
  }

  void Accept() {
    while (true) {
      const int fd =
          accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;  // none left, or none that can be served just now
      if (connections_.size() <= static_cast<size_t>(fd))
        connections_.resize(static_cast<size_t>(fd) * 2 + 1);
      connections_[static_cast<size_t>(fd)] = self().Open(fd);
      Watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }

  const int epoll_;
  const int listener_;
  const int termination_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by fd
};

}  // namespace peer

#endif  // RINGWAY_TOOLS_BENCH_PEERS_EPOLL_SERVER_H_
