// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/datagram.h"

#include <algorithm>
#include <cstring>

namespace ringway {

size_t DatagramPayloadOffset(const Operation& op) {
  const msghdr& room = *static_cast<const msghdr*>(op.address);
  return sizeof(DatagramHeader) + room.msg_namelen + room.msg_controllen;
}

Datagram ReadDatagram(const Operation& op, const Delivery& delivery) {
  const msghdr& room = *static_cast<const msghdr*>(op.address);
  const size_t payload_offset = DatagramPayloadOffset(op);
  DatagramHeader header;
  memcpy(&header, delivery.data, sizeof(header));

  const std::span<std::byte> filled(delivery.data,
                                    static_cast<size_t>(delivery.result));
  const std::span<std::byte> payload = filled.subspan(payload_offset);
  Datagram datagram;
  datagram.name = filled.subspan(
      sizeof(header), std::min<size_t>(header.name_bytes, room.msg_namelen));
  datagram.control = filled.subspan(
      sizeof(header) + room.msg_namelen,
      std::min<size_t>(header.control_bytes, room.msg_controllen));
  datagram.payload =
      payload.first(std::min<size_t>(header.payload_bytes, payload.size()));
  datagram.flags = header.flags;
  return datagram;
}

}  // namespace ringway
