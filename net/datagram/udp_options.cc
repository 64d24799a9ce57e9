// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/datagram/udp_options.h"

#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <time.h>

#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "ringway/net/socket/option_setter.h"

namespace ringway::net::internal {
namespace {

void SetMulticastOfIpv4(OptionSetter& setter, const UdpOptions& options) {
  if (options.multicast_ttl) {
    setter.SetWithin(IPPROTO_IP, IP_MULTICAST_TTL, *options.multicast_ttl, 0,
                     255, "IP_MULTICAST_TTL");
  }
  if (options.multicast_loop) {
    setter.SetInt(IPPROTO_IP, IP_MULTICAST_LOOP, *options.multicast_loop,
                  "IP_MULTICAST_LOOP");
  }
  if (options.multicast_interface != 0) {
    ip_mreqn interface = {};
    interface.imr_ifindex = static_cast<int>(options.multicast_interface);
    setter.Set(IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof(interface),
               "IP_MULTICAST_IF");
  }
}

void SetMulticastOfIpv6(OptionSetter& setter, const UdpOptions& options) {
  if (options.multicast_ttl) {
    setter.SetWithin(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, *options.multicast_ttl,
                     0, 255, "IPV6_MULTICAST_HOPS");
  }
  if (options.multicast_loop) {
    setter.SetInt(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, *options.multicast_loop,
                  "IPV6_MULTICAST_LOOP");
  }
  if (options.multicast_interface != 0) {
    setter.SetInt(IPPROTO_IPV6, IPV6_MULTICAST_IF,
                  static_cast<int>(options.multicast_interface),
                  "IPV6_MULTICAST_IF");
  }
}

// What comes with each datagram. An IPv6 socket may get IPv4 ones, too.
void SetReceived(OptionSetter& setter, int family, const UdpOptions& options) {
  const bool ipv6 = family == AF_INET6;
  if (options.receive_timestamps)
    setter.SetInt(SOL_SOCKET, SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS");
  if (options.receive_drops)
    setter.SetInt(SOL_SOCKET, SO_RXQ_OVFL, 1, "SO_RXQ_OVFL");
  if (options.receive_offload)
    setter.SetInt(IPPROTO_UDP, UDP_GRO, 1, "UDP_GRO");
  if (options.receive_type_of_service) {
    setter.SetInt(IPPROTO_IP, IP_RECVTOS, 1, "IP_RECVTOS");
    if (ipv6)
      setter.SetInt(IPPROTO_IPV6, IPV6_RECVTCLASS, 1, "IPV6_RECVTCLASS");
  }
  if (options.receive_destination) {
    if (ipv6) {
      setter.SetInt(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO");
    } else {
      setter.SetInt(IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO");
    }
  }
  if (options.receive_errors) {
    setter.SetInt(IPPROTO_IP, IP_RECVERR, 1, "IP_RECVERR");
    if (ipv6) setter.SetInt(IPPROTO_IPV6, IPV6_RECVERR, 1, "IPV6_RECVERR");
  }
}

void SetTransmitTimes(OptionSetter& setter) {
  sock_txtime times = {};
  times.clockid = CLOCK_MONOTONIC;
  setter.Set(SOL_SOCKET, SO_TXTIME, &times, sizeof(times), "SO_TXTIME");
}

}  // namespace

absl::Status SetUdpOptions(SocketCalls& sockets, int fd, int family,
                           const UdpOptions& options) {
  OptionSetter setter(sockets, fd);
  if (options.reuse_port && !options.claim_port)
    setter.SetInt(SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
  if (options.reuse_address)
    setter.SetInt(SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
  if (options.broadcast)
    setter.SetInt(SOL_SOCKET, SO_BROADCAST, 1, "SO_BROADCAST");
  setter.SetBuffers(options.send_buffer_bytes, options.receive_buffer_bytes);
  setter.SetTypeOfService(family, options.type_of_service);
  setter.SetDevice(options.device);
  SetReceived(setter, family, options);
  if (options.transmit_times) SetTransmitTimes(setter);
  if (family == AF_INET6) {
    setter.SetInt(IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only, "IPV6_V6ONLY");
    SetMulticastOfIpv6(setter, options);
  } else {
    SetMulticastOfIpv4(setter, options);
  }
  return setter.status();
}

absl::Status SetMembership(SocketCalls& sockets, int fd,
                           const MulticastGroup& group, bool join) {
  const SocketAddress& address = group.group;
  if (!address.is_multicast()) {
    return absl::InvalidArgumentError(
        absl::StrCat(address.ToString(), " is no multicast group"));
  }
  const int level = address.family() == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
  OptionSetter setter(sockets, fd);
  // Or it gets what is sent to every group that any socket of this machine has
  // joined.
  if (level == IPPROTO_IP)
    setter.SetInt(IPPROTO_IP, IP_MULTICAST_ALL, 0, "IP_MULTICAST_ALL");
  if (group.source.family() == AF_UNSPEC) {
    group_req request = {};
    request.gr_interface = group.interface;
    memcpy(&request.gr_group, address.data(), address.size());
    setter.Set(level, join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &request,
               sizeof(request),
               absl::StrCat(join ? "MCAST_JOIN_GROUP " : "MCAST_LEAVE_GROUP ",
                            address.host()));
  } else {
    group_source_req request = {};
    request.gsr_interface = group.interface;
    memcpy(&request.gsr_group, address.data(), address.size());
    memcpy(&request.gsr_source, group.source.data(), group.source.size());
    setter.Set(level, join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP,
               &request, sizeof(request),
               absl::StrCat(join ? "MCAST_JOIN_SOURCE_GROUP "
                                 : "MCAST_LEAVE_SOURCE_GROUP ",
                            address.host(), " from ", group.source.host()));
  }
  return setter.status();
}

}  // namespace ringway::net::internal
