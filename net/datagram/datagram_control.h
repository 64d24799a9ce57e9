// SPDX-License-Identifier: Apache-2.0
//
// Control messages of datagrams, from and to the structures of datagram.h.

#ifndef RINGWAY_NET_DATAGRAM_DATAGRAM_CONTROL_H_
#define RINGWAY_NET_DATAGRAM_DATAGRAM_CONTROL_H_

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "ringway/net/datagram/datagram.h"

namespace ringway::net::internal {

// Room for all that a datagram may be received with: its destination, TOS, the
// size of segments, the number dropped, and a time.
inline constexpr size_t kReceiveControlBytes =
    CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(in_pktinfo)) +
    3 * CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(timespec));
struct ReceiveControl {
  alignas(cmsghdr) std::byte bytes[kReceiveControlBytes];
};

// Room for SendOptions.
struct SendControl {
  alignas(cmsghdr) std::byte
      bytes[CMSG_SPACE(sizeof(in6_pktinfo)) + 2 * CMSG_SPACE(sizeof(int)) +
            CMSG_SPACE(sizeof(uint16_t)) + CMSG_SPACE(sizeof(uint64_t))];
};

// Sets what the control messages in `control` say.
void ReadControl(std::span<std::byte> control, DatagramInfo& info);

// Writes the control messages for `options`, for a socket of address family
// `family`. The result is their size, 0 if there are none.
size_t WriteControl(int family, const SendOptions& options,
                    SendControl& control);

// The error among the control messages in `control`, but for its destination,
// which comes as the message's name. False if there is none.
bool ReadErrorControl(std::span<std::byte> control, DatagramError& error);

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_DATAGRAM_DATAGRAM_CONTROL_H_
