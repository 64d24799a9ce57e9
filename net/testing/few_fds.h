// SPDX-License-Identifier: Apache-2.0
//
// For tests of what happens when there are no more fds.

#ifndef RINGWAY_NET_TESTING_FEW_FDS_H_
#define RINGWAY_NET_TESTING_FEW_FDS_H_

#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "ringway/backends/socket_calls.h"
#include "ringway/core/check.h"

namespace ringway::net::testing {

// The process may have few fds as long as this exists. An accept is subject to
// the limit at the time it was armed, so make this before the loop. (Simulated
// fds have a separate limit.)
class FewFds {
 public:
  FewFds() {
    RINGWAY_CHECK(getrlimit(RLIMIT_NOFILE, &before_) == 0, "getrlimit");
    rlimit few = before_;
    few.rlim_cur = 200;
    RINGWAY_CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0, "setrlimit");
  }
  FewFds(const FewFds&) = delete;
  FewFds& operator=(const FewFds&) = delete;
  ~FewFds() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_;
};

// Opens fds until there are none left.
//
// The undefined-behaviour sanitizer needs fds (a pipe) when an object of a
// class with virtual functions is used for the first time: call what a test
// calls meanwhile once before.
class OutOfFds {
 public:
  explicit OutOfFds(SocketCalls& sockets) {
    while (true) {
      fillers_.emplace_back(sockets, sockets.Socket(AF_UNIX, SOCK_DGRAM));
      if (!fillers_.back().valid()) break;
    }
    RINGWAY_CHECK(fillers_.back().get() == -EMFILE, "socket: errno %d",
                  -fillers_.back().get());
    fillers_.pop_back();
  }
  void FreeOne() { fillers_.pop_back(); }

 private:
  std::vector<SocketFd> fillers_;
};

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TESTING_FEW_FDS_H_
