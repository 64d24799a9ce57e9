// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/statistics/tcp_info.h"

#include <linux/tcp.h>
#include <netinet/in.h>

#include "absl/status/status.h"
#include "ringway/core/errno_status.h"

namespace ringway::net {

absl::StatusOr<TcpInfo> TcpInfoOf(const TcpStream& stream) {
  if (!stream.valid())
    return absl::FailedPreconditionError("the stream is closed");
  SocketCalls& sockets = internal::StreamAccess::CoreOf(stream)->sockets();
  tcp_info kernel = {};
  socklen_t length = sizeof(kernel);
  const int error =
      sockets.GetOption(stream.fd(), IPPROTO_TCP, TCP_INFO, &kernel, length);
  if (error != 0) return ErrnoToStatus(-error, "getsockopt TCP_INFO");
  TcpInfo info;
  info.round_trip = absl::Microseconds(kernel.tcpi_rtt);
  info.round_trip_deviation = absl::Microseconds(kernel.tcpi_rttvar);
  info.least_round_trip = absl::Microseconds(kernel.tcpi_min_rtt);
  info.bytes_acknowledged = kernel.tcpi_bytes_acked;
  info.bytes_received = kernel.tcpi_bytes_received;
  info.bytes_not_sent = kernel.tcpi_notsent_bytes;
  info.bytes_retransmitted = kernel.tcpi_bytes_retrans;
  info.n_retransmitted = kernel.tcpi_total_retrans;
  info.n_unacknowledged = kernel.tcpi_unacked;
  info.congestion_window = kernel.tcpi_snd_cwnd;
  info.send_segment_bytes = kernel.tcpi_snd_mss;
  info.delivery_bytes_per_second = kernel.tcpi_delivery_rate;
  return info;
}

}  // namespace ringway::net
