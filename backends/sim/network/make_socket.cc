// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/network/make_socket.h"

#include <netinet/in.h>

#include <cerrno>

#include "ringway/backends/sim/network/datagram_socket.h"
#include "ringway/backends/sim/network/stream_socket.h"

namespace ringway::sim {

int MakeSocket(Environment& environment, Network& network, int family, int type,
               int protocol, uint32_t host, std::shared_ptr<Socket>* out) {
  constexpr int kTypes = 0xf;
  const bool is_sequenced =
      family == AF_UNIX && (type & kTypes) == SOCK_SEQPACKET;
  const bool is_stream = (type & kTypes) == SOCK_STREAM || is_sequenced;
  if (family != AF_INET && family != AF_UNIX) return -EAFNOSUPPORT;
  if (!is_stream && (type & kTypes) != SOCK_DGRAM) return -ESOCKTNOSUPPORT;
  const int own_protocol = is_stream ? IPPROTO_TCP : IPPROTO_UDP;
  if (protocol != 0 && (protocol != own_protocol || family == AF_UNIX)) {
    return -EPROTONOSUPPORT;
  }
  const sa_family_t f = static_cast<sa_family_t>(family);
  if (is_stream) {
    *out = std::make_shared<StreamSocket>(environment, network, f, host,
                                          type & kTypes);
  } else {
    *out = std::make_shared<DatagramSocket>(environment, network, f, host);
  }
  return 0;
}

}  // namespace ringway::sim
