// SPDX-License-Identifier: Apache-2.0
//
// ServiceManager: talks to the service manager that started this process, by
// the protocols of systemd: sockets that it has opened (sd_listen_fds(3)),
// notices of readiness and state (sd_notify(3)), and its watchdog
// (sd_watchdog_enabled(3)). Without one there are no sockets and notices do
// nothing; so, too, in a program that is setuid or has file capabilities, where
// the environment is not trusted (secure_getenv(3)).
//
//   absl::StatusOr<ServiceManager> manager = ServiceManager::FromEnvironment();
//   if (!manager.ok()) return manager.status();
//   absl::StatusOr<std::vector<InheritedSocket>> web = manager->Take("web");
//   ...
//   absl::Status sent = manager->Ready("serving 2 addresses");

#ifndef RINGWAY_RUNTIME_HOST_SERVICE_MANAGER_H_
#define RINGWAY_RUNTIME_HOST_SERVICE_MANAGER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/compiler.h"
#include "ringway/core/unique_fd.h"
#include "ringway/net/socket_address.h"

namespace ringway {

// A socket that the service manager has opened.
struct InheritedSocket {
  // A duplicate with CLOEXEC set; the number that was passed is closed. Whether
  // it blocks is up to the manager, and shared with it: adopting the socket
  // sets the mode that the backend needs.
  UniqueFd fd;
  // FileDescriptorName= of its unit, otherwise the unit's name; several sockets
  // may have the same. "unknown" if the manager passes no names.
  std::string name;
  int type = 0;            // SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET
  bool listening = false;  // false for Accept=yes, and for datagrams
};

// Whether programs that this process starts find the manager's variables in
// their environment. Those of the sockets are removed in any case once the
// sockets have been taken, because these are closed in such programs.
enum class ManagerVariables : uint8_t { kKeep, kRemove };

class ServiceManager {
 public:
  // The longest notice that systemd accepts.
  static constexpr size_t kMostNoticeBytes = 4096;

  // No manager.
  ServiceManager() = default;

  // Reads NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, LISTEN_FDS, LISTEN_PID
  // and LISTEN_FDNAMES, and takes the sockets. Sockets and a watchdog for
  // another process (LISTEN_PID, WATCHDOG_PID) are ignored: a parent passed its
  // environment on. After an error nothing has changed.
  //
  // Errors: InvalidArgument with a variable and its value if it is malformed,
  //         or a passed fd is no socket (ListenFIFO= and others are not
  //         supported); the errno of duplicating one or of making the socket
  //         for notices.
  // Threads: before the program starts others, which may read the environment.
  static absl::StatusOr<ServiceManager> FromEnvironment(
      ManagerVariables variables = ManagerVariables::kKeep);

  // The sockets that have not been taken, in the manager's order.
  const std::vector<InheritedSocket>& inherited() const { return inherited_; }

  // Moves out the sockets called `name`; only those of `type` (SOCK_STREAM,
  // SOCK_DGRAM or SOCK_SEQPACKET), unless it is 0: a unit that listens on TCP
  // and UDP has one name for both.
  //
  // Errors: NotFound, with the names that there are, or why there are none.
  // Threads: one at a time.
  absl::StatusOr<std::vector<InheritedSocket>> Take(std::string_view name,
                                                    int type = 0);

  // True if the manager wants notices.
  bool wants_notices() const { return socket_.valid(); }

  // Sends a notice: lines of the form "READY=1", see sd_notify(3). Never
  // blocks, and opens no fd, so that it succeeds at the limit of them. The
  // manager accepts those of the process that it started, unless its unit has
  // NotifyAccess=all. OK, without effect, unless wants_notices().
  //
  // Errors: InvalidArgument if it is empty, too long or has a NUL in it; the
  //         errno of sendmsg(2): EAGAIN if the manager's queue is full,
  //         ECONNREFUSED or ENOENT if it has gone.
  // Threads: any.
  absl::Status Notify(std::string_view lines) const;

  // Notices with one line for people, which `systemctl status` shows until the
  // next one; line breaks in it become spaces. Ready() ends the start of a unit
  // with Type=notify; Stopping() begins the end of this process. Errors and
  // threads as Notify().
  absl::Status Ready(std::string_view text = "") const;
  absl::Status Stopping(std::string_view text = "") const;
  absl::Status Status(std::string_view text) const;
  // Proves that the process is alive: call it every watchdog_interval().
  absl::Status Watchdog() const;

  // Half of the time after which the manager takes this process for hung
  // (WatchdogSec=); infinite if it does not watch.
  absl::Duration watchdog_interval() const { return watchdog_interval_; }

 private:
  absl::Status ReadNotifySocket();
  absl::Status ReadWatchdog();
  absl::Status ReadInherited();
  absl::Status DuplicateInherited(const std::vector<std::string>& names);

  net::SocketAddress address_;  // where notices go
  SocketFd socket_;             // none: no notices
  absl::Duration watchdog_interval_ = absl::InfiniteDuration();
  std::vector<InheritedSocket> inherited_;
  std::string why_none_inherited_ = "the environment was not read";
};

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_HOST_SERVICE_MANAGER_H_
