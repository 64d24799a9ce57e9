// SPDX-License-Identifier: Apache-2.0
//
// CompareRegistrations: compares an FdTable with the kernel's registrations.
//
// A registration that lacks an event only shows as an operation that waits
// forever, under rare conditions. So tests compare after every turn;
// production code never does.

#ifndef RINGWAY_BACKENDS_EPOLL_REGISTRATION_CHECK_H_
#define RINGWAY_BACKENDS_EPOLL_REGISTRATION_CHECK_H_

#include <cstddef>
#include <string>

#include "ringway/backends/epoll/fd_table.h"

namespace ringway::epoll {

struct RegistrationReport {
  std::string difference;   // the first one found, as text; empty: none
  size_t n_registered = 0;  // fds in the set
};

// Compares `table` with the epoll set `epoll_fd`, as /proc/self/fdinfo shows
// it. A number with waiting operations must be registered for all of its
// Interest() and exactly as its entry says, unless that is still an
// assumption, or the kernel refuses to register it.
//
// Finds no difference if the process cannot open another fd.
// Cost: no allocation unless there is a difference; two system calls and a pass
// over the set for each 4 KiB of it.
RegistrationReport CompareRegistrations(FdTable& table, int epoll_fd);

}  // namespace ringway::epoll

#endif  // RINGWAY_BACKENDS_EPOLL_REGISTRATION_CHECK_H_
