// SPDX-License-Identifier: Apache-2.0
//
// TcpInfoOf: what the kernel knows of one TCP connection. UsesMultipath: if it
// is a Multipath TCP one.
//
//   absl::StatusOr<net::TcpInfo> info = net::TcpInfoOf(stream);
//   if (info.ok()) Log(info->round_trip, info->n_retransmitted);

#ifndef RINGWAY_NET_STATISTICS_TCP_INFO_H_
#define RINGWAY_NET_STATISTICS_TCP_INFO_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/net/tcp_stream.h"

namespace ringway::net {

// From TCP_INFO (include/uapi/linux/tcp.h). Fields that an older kernel does
// not have are 0.
struct TcpInfo {
  absl::Duration round_trip;  // smoothed
  absl::Duration round_trip_deviation;
  absl::Duration least_round_trip;
  uint64_t bytes_acknowledged = 0;  // by the peer
  uint64_t bytes_received = 0;
  uint64_t bytes_not_sent = 0;             // in the send buffer
  uint64_t bytes_retransmitted = 0;        // in all
  uint32_t n_retransmitted = 0;            // segments, in all
  uint32_t n_unacknowledged = 0;           // segments on their way
  uint32_t congestion_window = 0;          // segments
  uint32_t send_segment_bytes = 0;         // the most that a segment carries
  uint64_t delivery_bytes_per_second = 0;  // as measured last
};

// Errors: the errno of getsockopt(2): EOPNOTSUPP for a Unix socket, ENOPROTOOPT
//         on the simulator. FailedPrecondition once the stream is closed.
// Cost:   one system call.
//
// Of a connection with several paths it is that of the first.
absl::StatusOr<TcpInfo> TcpInfoOf(const TcpStream& stream);

// Result: true if both ends have agreed on Multipath TCP
//         (ConnectOptions::multipath, ListenOptions::multipath) and have not
//         gone back to TCP since. False for any other socket, and before Linux
//         5.16, which has no MPTCP_INFO.
// Errors: FailedPrecondition once the stream is closed.
// Cost:   one system call.
absl::StatusOr<bool> UsesMultipath(const TcpStream& stream);

}  // namespace ringway::net

#endif  // RINGWAY_NET_STATISTICS_TCP_INFO_H_
