// SPDX-License-Identifier: Apache-2.0
//
// StreamOptions: socket options of a stream. For listeners
// (ListenOptions::stream), whose accepted streams have them from the start, for
// Connect(), where they are set before it connects, and for
// TcpStream::SetOptions().

#ifndef RINGWAY_NET_SOCKET_STREAM_OPTIONS_H_
#define RINGWAY_NET_SOCKET_STREAM_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/backends/socket_calls.h"

namespace ringway::net {

// When an idle connection is given up: `idle` without traffic, then `probes`
// that are not answered, one each `interval`. Whole seconds, at least 1.
struct KeepAlive {
  KeepAlive() {}

  absl::Duration idle = absl::Seconds(60);      // TCP_KEEPIDLE
  absl::Duration interval = absl::Seconds(10);  // TCP_KEEPINTVL
  int probes = 6;                               // TCP_KEEPCNT
};

// What is not set stays as the system has it, but for TCP_NODELAY, which
// listeners and Connect() set. Unix sockets have the buffers only; the rest
// does not apply to them and is ignored.
struct StreamOptions {
  StreamOptions() {}

  // Small writes are sent at once.
  std::optional<bool> no_delay;  // TCP_NODELAY
  // Detects peers that are gone; SO_KEEPALIVE.
  std::optional<KeepAlive> keep_alive;
  // How long sent bytes may stay unacknowledged, in milliseconds at least 1;
  // then the connection ends with ETIMEDOUT.
  std::optional<absl::Duration> user_timeout;  // TCP_USER_TIMEOUT
  // Of the kernel, which doubles them for its own overhead, within
  // net.core.wmem_max and rmem_max. They stop its own tuning.
  std::optional<size_t> send_buffer_bytes;     // SO_SNDBUF
  std::optional<size_t> receive_buffer_bytes;  // SO_RCVBUF
  // DSCP and ECN of what is sent, 0 to 255.
  std::optional<int> type_of_service;  // IP_TOS, IPV6_TCLASS
  // Such as "cubic". Empty: the system's.
  std::string congestion_control;  // TCP_CONGESTION
  // For routing and filters; needs CAP_NET_ADMIN.
  std::optional<uint32_t> mark;  // SO_MARK
  // The interface that the socket is bound to, such as "eth0".
  std::string device;  // SO_BINDTODEVICE
  // The kernel notes when it gets what arrives, for TcpStream::ReadWithTime().
  std::optional<bool> receive_timestamps;  // SO_TIMESTAMPNS
};

namespace internal {

// Sets `options` on the socket `fd` of address family `family`.
//
// Errors: InvalidArgument naming a value out of range; the errno of
//         setsockopt(2), naming the option. Those before it are set.
absl::Status SetStreamOptions(SocketCalls& sockets, int fd, int family,
                              const StreamOptions& options);

}  // namespace internal

}  // namespace ringway::net

#endif  // RINGWAY_NET_SOCKET_STREAM_OPTIONS_H_
