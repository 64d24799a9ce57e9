// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/datagram/datagram_control.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/time/time.h"
#include "ringway/net/socket_address.h"

namespace ringway::net::internal {
namespace {

// The value of a control message; zeros where that is shorter.
template <typename T>
T ValueOf(cmsghdr& message) {
  T value = {};
  memcpy(&value, CMSG_DATA(&message),
         std::min(sizeof(T), message.cmsg_len - CMSG_LEN(0)));
  return value;
}

template <typename F>
void ForEach(std::span<std::byte> control, F&& function) {
  msghdr message = {};
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    function(*part);
  }
}

SocketAddress AddressOf(const in_addr& address) {
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_addr = address;
  return SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&name),
                                     sizeof(name));
}

SocketAddress AddressOf(const in6_addr& address, uint32_t interface) {
  sockaddr_in6 name = {};
  name.sin6_family = AF_INET6;
  name.sin6_addr = address;
  // Only there does the interface belong to the address.
  if (IN6_IS_ADDR_LINKLOCAL(&address)) name.sin6_scope_id = interface;
  return SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&name),
                                     sizeof(name));
}

void ReadOfSocket(cmsghdr& part, DatagramInfo& info) {
  if (part.cmsg_type == SO_RXQ_OVFL) {
    info.n_dropped = ValueOf<uint32_t>(part);
  } else if (part.cmsg_type == SO_TIMESTAMPNS) {
    info.received_at = absl::TimeFromTimespec(ValueOf<timespec>(part));
  }
}

void ReadOfIpv4(cmsghdr& part, DatagramInfo& info) {
  if (part.cmsg_type == IP_PKTINFO) {
    const in_pktinfo packet = ValueOf<in_pktinfo>(part);
    info.destination = AddressOf(packet.ipi_addr);
    info.interface = static_cast<uint32_t>(packet.ipi_ifindex);
  } else if (part.cmsg_type == IP_TOS) {
    info.type_of_service = ValueOf<uint8_t>(part);
  }
}

void ReadOfIpv6(cmsghdr& part, DatagramInfo& info) {
  if (part.cmsg_type == IPV6_PKTINFO) {
    const in6_pktinfo packet = ValueOf<in6_pktinfo>(part);
    info.destination = AddressOf(packet.ipi6_addr, packet.ipi6_ifindex);
    info.interface = packet.ipi6_ifindex;
  } else if (part.cmsg_type == IPV6_TCLASS) {
    info.type_of_service = static_cast<uint8_t>(ValueOf<int>(part));
  }
}

// Appends control messages.
class Writer {
 public:
  explicit Writer(std::span<std::byte> room) : room_(room) {}

  template <typename T>
  void Add(int level, int type, const T& value) {
    cmsghdr header = {};
    header.cmsg_len = CMSG_LEN(sizeof(T));
    header.cmsg_level = level;
    header.cmsg_type = type;
    std::byte* const at = room_.data() + size_;
    memset(at, 0, CMSG_SPACE(sizeof(T)));
    memcpy(at, &header, sizeof(header));
    memcpy(at + CMSG_LEN(0), &value, sizeof(T));
    size_ += CMSG_SPACE(sizeof(T));
  }
  size_t size() const { return size_; }

 private:
  std::span<std::byte> room_;
  size_t size_ = 0;
};

// The source as an IPv6 socket names it: an IPv4 address is a mapped one.
in6_addr Ipv6SourceOf(const SocketAddress& source) {
  if (source.family() == AF_INET6)
    return reinterpret_cast<const sockaddr_in6*>(source.data())->sin6_addr;
  in6_addr mapped = in6addr_any;
  if (source.family() == AF_INET) {
    mapped.s6_addr[10] = mapped.s6_addr[11] = 0xff;
    memcpy(&mapped.s6_addr[12],
           &reinterpret_cast<const sockaddr_in*>(source.data())->sin_addr, 4);
  }
  return mapped;
}

}  // namespace

void ReadControl(std::span<std::byte> control, DatagramInfo& info) {
  ForEach(control, [&info](cmsghdr& part) {
    switch (part.cmsg_level) {
      case SOL_SOCKET:
        ReadOfSocket(part, info);
        break;
      case IPPROTO_IP:
        ReadOfIpv4(part, info);
        break;
      case IPPROTO_IPV6:
        ReadOfIpv6(part, info);
        break;
      case IPPROTO_UDP:
        if (part.cmsg_type == UDP_GRO)
          info.segment_bytes = static_cast<size_t>(ValueOf<int>(part));
        break;
      default:
        break;
    }
  });
}

size_t WriteControl(int family, const SendOptions& options,
                    SendControl& control) {
  Writer writer(control.bytes);
  const bool ipv6 = family == AF_INET6;
  if (options.source.family() != AF_UNSPEC || options.interface != 0) {
    if (ipv6) {
      in6_pktinfo packet = {};
      packet.ipi6_addr = Ipv6SourceOf(options.source);
      packet.ipi6_ifindex = options.interface;
      writer.Add(IPPROTO_IPV6, IPV6_PKTINFO, packet);
    } else {
      in_pktinfo packet = {};
      if (options.source.family() == AF_INET) {
        packet.ipi_spec_dst =
            reinterpret_cast<const sockaddr_in*>(options.source.data())
                ->sin_addr;
      }
      packet.ipi_ifindex = static_cast<int>(options.interface);
      writer.Add(IPPROTO_IP, IP_PKTINFO, packet);
    }
  }
  if (options.type_of_service) {
    // An IPv6 socket may also send IPv4 packets; each kind has its message, and
    // ignores the other's.
    const int value = *options.type_of_service;
    writer.Add(IPPROTO_IP, IP_TOS, value);
    if (ipv6) writer.Add(IPPROTO_IPV6, IPV6_TCLASS, value);
  }
  if (options.segment_bytes != 0)
    writer.Add(IPPROTO_UDP, UDP_SEGMENT, options.segment_bytes);
  if (options.transmit_at) {
    writer.Add(SOL_SOCKET, SCM_TXTIME,
               static_cast<uint64_t>(options.transmit_at->nanoseconds()));
  }
  return writer.size();
}

bool ReadErrorControl(std::span<std::byte> control, DatagramError& error) {
  bool found = false;
  ForEach(control, [&](cmsghdr& part) {
    const bool is_error =
        (part.cmsg_level == IPPROTO_IP && part.cmsg_type == IP_RECVERR) ||
        (part.cmsg_level == IPPROTO_IPV6 && part.cmsg_type == IPV6_RECVERR);
    if (!is_error) return;
    struct Report {
      sock_extended_err error;
      sockaddr_in6 offender;  // or a sockaddr_in
    };
    const Report report = ValueOf<Report>(part);
    found = true;
    error.error = static_cast<int>(report.error.ee_errno);
    error.icmp_type = report.error.ee_type;
    error.icmp_code = report.error.ee_code;
    if (error.error == EMSGSIZE) error.mtu = report.error.ee_info;
    const auto* offender = reinterpret_cast<const sockaddr*>(&report.offender);
    if (offender->sa_family == AF_INET) {
      error.reporter =
          SocketAddress::FromSockaddr(offender, sizeof(sockaddr_in));
    } else if (offender->sa_family == AF_INET6) {
      error.reporter =
          SocketAddress::FromSockaddr(offender, sizeof(sockaddr_in6));
    }
  });
  return found;
}

}  // namespace ringway::net::internal
