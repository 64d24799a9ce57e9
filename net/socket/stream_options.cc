// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/stream_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <climits>

#include "ringway/net/socket/option_setter.h"

namespace ringway::net::internal {
namespace {

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
  setter.SetTypeOfService(family, options.type_of_service);
  setter.SetText(IPPROTO_TCP, TCP_CONGESTION, options.congestion_control,
                 "TCP_CONGESTION");
  if (options.mark)
    setter.SetInt(SOL_SOCKET, SO_MARK, static_cast<int>(*options.mark),
                  "SO_MARK");
  setter.SetDevice(options.device);
  if (options.receive_timestamps)
    setter.SetInt(SOL_SOCKET, SO_TIMESTAMPNS, *options.receive_timestamps,
                  "SO_TIMESTAMPNS");
}

}  // namespace

absl::Status SetStreamOptions(SocketCalls& sockets, int fd, int family,
                              const StreamOptions& options) {
  OptionSetter setter(sockets, fd);
  setter.SetBuffers(options.send_buffer_bytes, options.receive_buffer_bytes);
  if (family != AF_UNIX) SetTcpOptions(setter, family, options);
  return setter.status();
}

}  // namespace ringway::net::internal
