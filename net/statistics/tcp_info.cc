// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/statistics/tcp_info.h"

#include <linux/mptcp.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/status/status.h"
#include "ringway/core/errno_status.h"

namespace ringway::net {
namespace {

// As getsockopt(2): 0 or -errno. Requires a valid stream.
template <typename T>
int GetOption(const TcpStream& stream, int level, int option, T& value) {
  SocketCalls& sockets = internal::StreamAccess::CoreOf(stream)->sockets();
  socklen_t length = sizeof(value);
  return sockets.GetOption(stream.fd(), level, option, &value, length);
}

absl::Status ClosedStatus() {
  return absl::FailedPreconditionError("the stream is closed");
}

}  // namespace

absl::StatusOr<bool> UsesMultipath(const TcpStream& stream) {
  if (!stream.valid()) return ClosedStatus();
  mptcp_info unused = {};
  const int error = GetOption(stream, SOL_MPTCP, MPTCP_INFO, unused);
  // A socket that was made for it and has gone back to TCP has no such level,
  // as any other.
  if (error == -EOPNOTSUPP || error == -ENOPROTOOPT) return false;
  if (error != 0) return ErrnoToStatus(-error, "getsockopt MPTCP_INFO");
  return true;
}

absl::StatusOr<TcpInfo> TcpInfoOf(const TcpStream& stream) {
  if (!stream.valid()) return ClosedStatus();
  tcp_info kernel = {};
  const int error = GetOption(stream, IPPROTO_TCP, TCP_INFO, kernel);
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
