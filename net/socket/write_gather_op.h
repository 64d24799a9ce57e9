// SPDX-License-Identifier: Apache-2.0
//
// WriteGatherOp: the awaitable of TcpStream::WriteGather() and WriteZeroCopy().

#ifndef RINGWAY_NET_SOCKET_WRITE_GATHER_OP_H_
#define RINGWAY_NET_SOCKET_WRITE_GATHER_OP_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "ringway/core/memory/shared_bytes.h"
#include "ringway/net/socket/stream_core.h"
#include "ringway/net/socket/stream_ops.h"
#include "ringway/net/writing/part_cursor.h"
#include "ringway/net/writing/write_part.h"
#include "ringway/net/writing/zero_copy_send.h"

namespace ringway::net {

// Each step is a send of copied parts, or a ZeroCopySend of shared ones.
class [[nodiscard]] WriteGatherOp : public QueuedWrite,
                                    private internal::ZeroCopySend::Client {
 public:
  WriteGatherOp(internal::StreamCore* core, std::span<const WritePart> parts);
  WriteGatherOp(internal::StreamCore* core, SharedBytes bytes);
  ~WriteGatherOp();
  bool await_ready() const noexcept { return left_.empty() && usable(); }

 private:
  static constexpr size_t kBatch = 16;

  static bool Advance(QueuedWrite& self, size_t n_bytes);
  static void OnAccepted(Client& client, int32_t result);
  bool PrepareStep();
  // The shared part at `index` of the rest, if it is to be sent without a copy.
  const SharedBytes* ZeroCopyPart(size_t index) const;
  bool PrepareZeroCopy();
  void PrepareCopy();

  const WritePart own_part_;
  internal::PartCursor<WritePart> left_;
  size_t threshold_ = 0;
  internal::ZeroCopySend* zero_copy_ = nullptr;  // the step, until accepted
  std::array<iovec, kBatch> vectors_;
  msghdr message_ = {};
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_SOCKET_WRITE_GATHER_OP_H_
