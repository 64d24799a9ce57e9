// SPDX-License-Identifier: Apache-2.0
//
// UdpOptions and MulticastGroup: options of UDP sockets, and the groups they
// receive from.

#ifndef RINGWAY_NET_DATAGRAM_UDP_OPTIONS_H_
#define RINGWAY_NET_DATAGRAM_UDP_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {

// What is not set stays as the system has it.
struct UdpOptions {
  UdpOptions() {}

  // Several sockets, one per worker, share the address and the kernel spreads
  // senders over them.
  bool reuse_port = false;
  // With reuse_port, for the first socket of a group: EADDRINUSE if the address
  // is in use already, even by a socket that would share it.
  bool claim_port = false;
  // Several sockets share the address, and each gets the datagrams of multicast
  // groups and broadcasts; which of them gets others is unspecified.
  bool reuse_address = false;
  // An IPv6 socket receives IPv6 datagrams only, not IPv4 ones. Always set
  // explicitly, independent of the sysctl net.ipv6.bindv6only.
  bool v6_only = false;
  // Datagrams may be sent to broadcast addresses; without it they are EACCES.
  bool broadcast = false;

  // Of datagrams sent to multicast groups: how many routers they pass (the
  // system's default is 1: none), whether this machine's own sockets get them
  // (default: yes), and the index of the interface they leave by, see
  // if_nametoindex(3) (0: the system chooses).
  std::optional<int> multicast_ttl;
  std::optional<bool> multicast_loop;
  uint32_t multicast_interface = 0;

  // What DatagramInfo says of each datagram that is received: where it was sent
  // to; its TOS byte with ECN; when the kernel got it; how many were dropped.
  bool receive_destination = false;
  bool receive_type_of_service = false;
  bool receive_timestamps = false;
  bool receive_drops = false;
  // Lets the kernel join datagrams of one sender, so that a receive returns
  // several (UDP_GRO): use buffers of 64 KiB, and DatagramInfo::segment_bytes.
  bool receive_offload = false;
  // Keeps what the network reports of datagrams that were not delivered, for
  // UdpSocket::TakeError() (IP_RECVERR). Each report also fails the next send
  // or receive, on sockets that are not connected, too.
  bool receive_errors = false;
  // Datagrams may be sent at a time of their own, SendOptions::transmit_at
  // (SO_TXTIME, on CLOCK_MONOTONIC). What keeps the time is the packet
  // scheduler of the interface: tc-fq(8) does; others, and the loopback
  // interface without one, send at once.
  bool transmit_times = false;

  // As of StreamOptions.
  std::optional<size_t> send_buffer_bytes;
  std::optional<size_t> receive_buffer_bytes;
  std::optional<int> type_of_service;
  std::string device;
};

// A multicast group, as one socket joins it.
struct MulticastGroup {
  MulticastGroup() {}

  SocketAddress group;     // its port does not count
  uint32_t interface = 0;  // its index; 0: the system chooses
  // Only what this address sends (source-specific multicast); none: anybody.
  SocketAddress source;
};

namespace internal {

// Sets `options` on the socket `fd` of address family `family`, before it is
// bound: a port that is claimed is offered to others by MakeUdpSocket().
//
// Errors: as SetStreamOptions().
absl::Status SetUdpOptions(SocketCalls& sockets, int fd, int family,
                           const UdpOptions& options);

// Joins or leaves `group`.
//
// Errors: InvalidArgument for an address that is no multicast group; the errno
//         of setsockopt(2), naming the group: EADDRINUSE if it was joined
//         already, EADDRNOTAVAIL if it was not, ENODEV for the interface.
absl::Status SetMembership(SocketCalls& sockets, int fd,
                           const MulticastGroup& group, bool join);

}  // namespace internal

}  // namespace ringway::net

#endif  // RINGWAY_NET_DATAGRAM_UDP_OPTIONS_H_
