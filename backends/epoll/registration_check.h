// SPDX-License-Identifier: Apache-2.0
//
// CompareRegistrations: what an FdTable says is registered, beside what the
// kernel has.
//
// A registration that lacks an event shows in nothing but an operation that
// waits for ever, and only under a load that nobody tests. So tests compare
// after every turn; production code never does.

#ifndef RINGWAY_BACKENDS_EPOLL_REGISTRATION_CHECK_H_
#define RINGWAY_BACKENDS_EPOLL_REGISTRATION_CHECK_H_

#include <cstddef>
#include <string>

#include "ringway/backends/epoll/fd_table.h"

namespace ringway::epoll {

struct RegistrationReport {
  std::string difference;   // the first one found, for people; empty: none
  size_t n_registered = 0;  // fds in the set
};

// Compares `table` with the epoll set `epoll_fd`, as /proc/self/fdinfo shows
// it. A number that something waits for must be registered for all of its
// Interest() and exactly as its entry says, unless that is still assumed, or
// the kernel refuses to register it at all.
//
// Finds no difference where the process may open no more fds.
// Cost: no allocation unless there is a difference; two system calls and a pass
// over the set for each 4 KiB of it.
RegistrationReport CompareRegistrations(FdTable& table, int epoll_fd);

}  // namespace ringway::epoll

#endif  // RINGWAY_BACKENDS_EPOLL_REGISTRATION_CHECK_H_
