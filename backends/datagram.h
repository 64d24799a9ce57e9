// SPDX-License-Identifier: Apache-2.0
//
// Datagram: the content of a delivery of a multishot recvmsg.
//
// Backends fill a provided buffer with a header, room for the source address,
// room for control data, then the payload: the layout of IORING_OP_RECVMSG
// (struct io_uring_recvmsg_out, Linux 6.0), which the other backends follow.

#ifndef RINGWAY_BACKENDS_DATAGRAM_H_
#define RINGWAY_BACKENDS_DATAGRAM_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "ringway/backends/operation.h"

namespace ringway {

// The start of the buffer. The lengths are those that the kernel reported;
// parts that did not fit were cut. payload_bytes is the length present,
// unless the operation has MSG_TRUNC.
struct DatagramHeader {
  uint32_t name_bytes = 0;
  uint32_t control_bytes = 0;
  uint32_t payload_bytes = 0;
  uint32_t flags = 0;  // MSG_TRUNC, MSG_CTRUNC
};

struct Datagram {
  std::span<std::byte> name;  // a sockaddr
  std::span<std::byte> control;
  std::span<std::byte> payload;
  uint32_t flags = 0;  // MSG_TRUNC: the payload was cut; MSG_CTRUNC: `control`

  bool truncated() const { return (flags & MSG_TRUNC) != 0; }
};

// The offset of the payload in a buffer that `op` receives into.
size_t DatagramPayloadOffset(const Operation& op);

// Parses a delivery of `op`, a multishot recvmsg. The parts point into the
// delivery's buffer and are valid until it is returned.
Datagram ReadDatagram(const Operation& op, const Delivery& delivery);

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_DATAGRAM_H_
