// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/stream_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <climits>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"

namespace ringway::net::internal {
namespace {

// Sets options one after the other, until one fails.
class OptionSetter {
 public:
  OptionSetter(SocketCalls& sockets, int fd) : sockets_(sockets), fd_(fd) {}

  const absl::Status& status() const { return status_; }

  void SetInt(int level, int option, int value, std::string_view name) {
    if (status_.ok())
      Check(sockets_.SetOption(fd_, level, option, &value, sizeof(value)),
            name);
  }
  void SetText(int level, int option, std::string_view value,
               std::string_view name) {
    if (status_.ok() && !value.empty()) {
      Check(sockets_.SetOption(fd_, level, option, value.data(),
                               static_cast<socklen_t>(value.size())),
            absl::StrCat(name, " to ", value));
    }
  }
  // `value`, which has to be within [low, high].
  void SetWithin(int level, int option, int64_t value, int64_t low,
                 int64_t high, std::string_view name) {
    if (!status_.ok()) return;
    if (value < low || value > high) {
      status_ = absl::InvalidArgumentError(absl::StrCat(
          name, "=", value, " is not between ", low, " and ", high));
      return;
    }
    SetInt(level, option, static_cast<int>(value), name);
  }

 private:
  void Check(int error, std::string_view name) {
    if (error != 0)
      status_ = ErrnoToStatus(-error, absl::StrCat("setsockopt ", name));
  }

  SocketCalls& sockets_;
  const int fd_;
  absl::Status status_;
};

void SetKeepAlive(OptionSetter& setter, const KeepAlive& keep_alive) {
  // The limits are the kernel's (MAX_TCP_KEEPIDLE and so on in net/tcp.h).
  setter.SetWithin(IPPROTO_TCP, TCP_KEEPIDLE,
                   absl::ToInt64Seconds(keep_alive.idle), 1, 32'767,
                   "TCP_KEEPIDLE");
  setter.SetWithin(IPPROTO_TCP, TCP_KEEPINTVL,
                   absl::ToInt64Seconds(keep_alive.interval), 1, 32'767,
                   "TCP_KEEPINTVL");
  setter.SetWithin(IPPROTO_TCP, TCP_KEEPCNT, keep_alive.probes, 1, 127,
                   "TCP_KEEPCNT");
  setter.SetInt(SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE");
}

void SetBuffer(OptionSetter& setter, int option,
               const std::optional<size_t>& n_bytes, std::string_view name) {
  // The kernel doubles it.
  if (!n_bytes) return;
  setter.SetWithin(
      SOL_SOCKET, option,
      *n_bytes > INT_MAX ? INT64_MAX : static_cast<int64_t>(*n_bytes), 1,
      INT_MAX / 2, name);
}

void SetTcpOptions(OptionSetter& setter, int family,
                   const StreamOptions& options) {
  if (options.no_delay)
    setter.SetInt(IPPROTO_TCP, TCP_NODELAY, *options.no_delay, "TCP_NODELAY");
  if (options.keep_alive) SetKeepAlive(setter, *options.keep_alive);
  if (options.user_timeout) {
    setter.SetWithin(IPPROTO_TCP, TCP_USER_TIMEOUT,
                     absl::ToInt64Milliseconds(*options.user_timeout), 1,
                     INT_MAX, "TCP_USER_TIMEOUT");
  }
  if (options.type_of_service) {
    // What an IPv6 socket sends to IPv4 peers has the former.
    setter.SetWithin(IPPROTO_IP, IP_TOS, *options.type_of_service, 0, 255,
                     "IP_TOS");
    if (family == AF_INET6) {
      setter.SetInt(IPPROTO_IPV6, IPV6_TCLASS, *options.type_of_service,
                    "IPV6_TCLASS");
    }
  }
  setter.SetText(IPPROTO_TCP, TCP_CONGESTION, options.congestion_control,
                 "TCP_CONGESTION");
  if (options.mark)
    setter.SetInt(SOL_SOCKET, SO_MARK, static_cast<int>(*options.mark),
                  "SO_MARK");
  setter.SetText(SOL_SOCKET, SO_BINDTODEVICE, options.device,
                 "SO_BINDTODEVICE");
}

}  // namespace

absl::Status SetStreamOptions(SocketCalls& sockets, int fd, int family,
                              const StreamOptions& options) {
  OptionSetter setter(sockets, fd);
  SetBuffer(setter, SO_SNDBUF, options.send_buffer_bytes, "SO_SNDBUF");
  SetBuffer(setter, SO_RCVBUF, options.receive_buffer_bytes, "SO_RCVBUF");
  if (family != AF_UNIX) SetTcpOptions(setter, family, options);
  return setter.status();
}

}  // namespace ringway::net::internal
