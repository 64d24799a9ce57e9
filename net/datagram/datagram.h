// SPDX-License-Identifier: Apache-2.0
//
// Datagram, LentDatagram, DatagramError: what datagram sockets receive.
// SendOptions: what one datagram is sent with.

#ifndef RINGWAY_NET_DATAGRAM_DATAGRAM_H_
#define RINGWAY_NET_DATAGRAM_DATAGRAM_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/net/received_buffer.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {

// What comes with a datagram. Everything from `destination` on only if the
// socket was asked for it (UdpOptions).
struct DatagramInfo {
  DatagramInfo() {}

  SocketAddress sender;    // AF_UNSPEC if it was not requested or has none
  bool truncated = false;  // the datagram was longer than the buffer

  // The address that it was sent to, without a port, and the index of the
  // interface that it came by (receive_destination).
  SocketAddress destination;
  uint32_t interface = 0;
  // The IP header's TOS or traffic class byte: DSCP, and ECN in the lower two
  // bits (receive_type_of_service).
  std::optional<uint8_t> type_of_service;
  // Not 0: the kernel has joined several datagrams of a sender, each of this
  // size but for the last, which may be shorter (receive_offload).
  size_t segment_bytes = 0;
  // How many datagrams the socket has dropped so far for lack of room in its
  // receive buffer (receive_drops).
  uint32_t n_dropped = 0;
  // When the kernel got it, by the system's clock (receive_timestamps).
  std::optional<absl::Time> received_at;
};

struct Datagram : DatagramInfo {
  Datagram() {}

  size_t n_bytes = 0;  // in the buffer; 0 for an empty datagram
};

// One whose bytes are lent: they lie in one of the worker's receive buffers
// until this is dropped.
struct LentDatagram : DatagramInfo {
  LentDatagram() {}

  ReceivedBuffer bytes;  // empty for an empty datagram
};

// What one datagram is sent with.
struct SendOptions {
  SendOptions() {}

  // Not 0: the bytes are sent as several datagrams of this size, the last may
  // be shorter; the kernel or the device cuts them (UDP_SEGMENT). At most 64
  // datagrams and 65,507 bytes.
  uint16_t segment_bytes = 0;
  // As DatagramInfo::type_of_service.
  std::optional<uint8_t> type_of_service;
  // Sent from this address of the machine, whose port does not count, or by
  // this interface; none: the system chooses.
  SocketAddress source;
  uint32_t interface = 0;
  // Sent at this time, not at once: of Loop::now(), and of
  // UdpOptions::transmit_times, which it needs. A time that has passed is now;
  // one that is far ahead (10 seconds, tc-fq(8): horizon) loses the datagram.
  std::optional<MonotonicTime> transmit_at;
};

// A datagram that could not be delivered, as the network reported.
struct DatagramError {
  DatagramError() {}

  int error = 0;  // an errno: ECONNREFUSED, EHOSTUNREACH, EMSGSIZE...
  SocketAddress destination;  // where it was sent to
  SocketAddress reporter;     // who reported it, without a port, if known
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  uint32_t mtu = 0;  // with EMSGSIZE: the largest packet that passes
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_DATAGRAM_DATAGRAM_H_
