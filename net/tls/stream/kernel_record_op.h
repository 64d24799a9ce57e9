// SPDX-License-Identifier: Apache-2.0
//
// KernelRecordOp: has the kernel encrypt and send a record that is not data: an
// alert, or a part of a handshake.

#ifndef RINGWAY_NET_TLS_STREAM_KERNEL_RECORD_OP_H_
#define RINGWAY_NET_TLS_STREAM_KERNEL_RECORD_OP_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "ringway/net/socket/stream_ops.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/tls/engine/output_buffer.h"

namespace ringway::net::internal {

// In the order of writes. The socket has keys (TLS_TX).
//
// Errors:       as TcpStream::Write().
// Ownership:    the record's bytes and the stream must outlive the await.
// Cancellation: as TcpStream::Write(): the record may have been sent.
// Cost:         no allocation.
class [[nodiscard]] KernelRecordOp : public QueuedWrite {
 public:
  KernelRecordOp(TcpStream& stream, PlainRecord record);
  bool await_ready() const noexcept { return false; }

 private:
  static bool Advance(QueuedWrite& self, size_t n_bytes);
  void Prepare();

  uint8_t type_;
  std::span<const std::byte> rest_;
  iovec part_;
  msghdr message_ = {};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(1)> control_ = {};
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_STREAM_KERNEL_RECORD_OP_H_
