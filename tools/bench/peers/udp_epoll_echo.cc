// SPDX-License-Identifier: Apache-2.0
//
// A UDP echo server on epoll by hand: one recvfrom and one sendto per datagram,
// until there is none left.

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "ringway/tools/bench/peers/peer.h"

namespace {

void EchoAll(int fd, std::array<char, 64 * 1024>& buffer) {
  while (true) {
    sockaddr_storage sender;
    socklen_t length = sizeof(sender);
    auto* name = reinterpret_cast<sockaddr*>(&sender);
    const ssize_t n =
        recvfrom(fd, buffer.data(), buffer.size(), 0, name, &length);
    if (n < 0) return;
    // As with any datagram, it may be lost.
    static_cast<void>(
        sendto(fd, buffer.data(), static_cast<size_t>(n), 0, name, length));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int termination = peer::CatchTermination();
  const int fd = peer::BindDatagramsAsTold(argc, argv);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) peer::Die("epoll_create1");
  for (const int watched : {fd, termination}) {
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.fd = watched;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, watched, &event) != 0)
      peer::Die("epoll_ctl");
  }
  static std::array<char, 64 * 1024> buffer;
  while (true) {
    std::array<epoll_event, 2> events;
    const int n = epoll_wait(epoll, events.data(), 2, -1);
    if (n < 0 && errno != EINTR) peer::Die("epoll_wait");
    for (int i = 0; i < n; ++i) {
      if (events[static_cast<size_t>(i)].data.fd == termination) return 0;
      EchoAll(fd, buffer);
    }
  }
}
