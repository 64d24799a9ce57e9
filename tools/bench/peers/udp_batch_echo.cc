// SPDX-License-Identifier: Apache-2.0
//
// A UDP echo server on epoll by hand that batches: one recvmmsg and one
// sendmmsg for all datagrams that are there.

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>

#include "ringway/tools/bench/peers/peer.h"

namespace {

class BatchEcho {
 public:
  explicit BatchEcho(int fd) : fd_(fd) {}

  void EchoAll() {
    for (int n = kBatch; n == kBatch;) {
      for (size_t i = 0; i < kBatch; ++i) {
        parts_[i] = {bytes_[i].data(), bytes_[i].size()};
        messages_[i].msg_hdr = {};
        messages_[i].msg_hdr.msg_name = &senders_[i];
        messages_[i].msg_hdr.msg_namelen = sizeof(senders_[i]);
        messages_[i].msg_hdr.msg_iov = &parts_[i];
        messages_[i].msg_hdr.msg_iovlen = 1;
      }
      n = recvmmsg(fd_, messages_.data(), kBatch, 0, nullptr);
      for (int i = 0; i < n; ++i)
        parts_[static_cast<size_t>(i)].iov_len =
            messages_[static_cast<size_t>(i)].msg_len;
      SendAll(n);
    }
  }

 private:
  static constexpr unsigned kBatch = 64;

  // As with any datagram, one may be lost.
  void SendAll(int n) {
    for (int next = 0; next < n;) {
      const int sent = sendmmsg(fd_, messages_.data() + next,
                                static_cast<unsigned>(n - next), 0);
      next += sent > 0 ? sent : 1;
    }
  }

  const int fd_;
  std::array<mmsghdr, kBatch> messages_;
  std::array<iovec, kBatch> parts_;
  std::array<sockaddr_storage, kBatch> senders_;
  std::array<std::array<char, 64 * 1024>, kBatch> bytes_;
};

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
  const auto server = std::make_unique<BatchEcho>(fd);
  while (true) {
    std::array<epoll_event, 2> events;
    const int n = epoll_wait(epoll, events.data(), 2, -1);
    if (n < 0 && errno != EINTR) peer::Die("epoll_wait");
    for (int i = 0; i < n; ++i) {
      if (events[static_cast<size_t>(i)].data.fd == termination) return 0;
      server->EchoAll();
    }
  }
}
