// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/datagram/datagram_control.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/net/datagram/datagram.h"
#include "ringway/net/socket_address.h"

namespace ringway::net::internal {
namespace {

using Kind = std::pair<int, int>;  // level and type

// The size of the value of each control message that `options` become.
std::map<Kind, size_t> Written(int family, const SendOptions& options,
                               SendControl& control) {
  msghdr message = {};
  message.msg_control = control.bytes;
  message.msg_controllen = WriteControl(family, options, control);
  EXPECT_LE(message.msg_controllen, sizeof(control.bytes));
  std::map<Kind, size_t> sizes;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    sizes[{part->cmsg_level, part->cmsg_type}] = part->cmsg_len - CMSG_LEN(0);
  }
  return sizes;
}

TEST(DatagramControl, NoOptionsAreNoMessages) {
  SendControl control;
  EXPECT_EQ(WriteControl(AF_INET, SendOptions(), control), 0u);
  EXPECT_EQ(WriteControl(AF_INET6, SendOptions(), control), 0u);
}

TEST(DatagramControl, ATimeIsNanosecondsOfTheMonotonicClock) {
  SendOptions options;
  options.transmit_at = MonotonicTime::FromNanoseconds(1'234'567'890'123);
  SendControl control;
  const std::map<Kind, size_t> expected = {
      {{SOL_SOCKET, SCM_TXTIME}, sizeof(uint64_t)}};
  EXPECT_EQ(Written(AF_INET, options, control), expected);
  uint64_t time = 0;
  memcpy(&time, control.bytes + CMSG_LEN(0), sizeof(time));
  EXPECT_EQ(time, 1'234'567'890'123u);
}

TEST(DatagramControl, ThereIsRoomForEverythingAtOnce) {
  SendOptions options;
  options.segment_bytes = 1'000;
  options.type_of_service = 1;
  options.interface = 1;
  options.transmit_at = MonotonicTime::FromNanoseconds(1);
  SendControl control;
  EXPECT_EQ(Written(AF_INET, options, control).size(), 4u);
  const std::map<Kind, size_t> expected = {
      {{IPPROTO_IPV6, IPV6_PKTINFO}, sizeof(in6_pktinfo)},
      {{IPPROTO_IPV6, IPV6_TCLASS}, sizeof(int)},
      {{IPPROTO_IP, IP_TOS}, sizeof(int)},
      {{IPPROTO_UDP, UDP_SEGMENT}, sizeof(uint16_t)},
      {{SOL_SOCKET, SCM_TXTIME}, sizeof(uint64_t)},
  };
  EXPECT_EQ(Written(AF_INET6, options, control), expected);
}

}  // namespace
}  // namespace ringway::net::internal
