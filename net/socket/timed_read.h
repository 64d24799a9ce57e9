// SPDX-License-Identifier: Apache-2.0
//
// TimedRead: what TcpStream::ReadWithTime() returns: bytes, and when the kernel
// got them. TimedReadOp: its awaitable.

#ifndef RINGWAY_NET_SOCKET_TIMED_READ_H_
#define RINGWAY_NET_SOCKET_TIMED_READ_H_

#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/net/socket/stream_core.h"
#include "ringway/net/socket/stream_ops.h"

namespace ringway::net {

struct TimedRead {
  TimedRead() {}

  size_t n_bytes = 0;  // 0: the peer has closed its side
  // When the kernel got the segment that the last of the bytes came in, by the
  // system's clock. Of segments that it has joined while they waited it keeps
  // one time: the last one's, over Multipath TCP the first one's (measured on
  // Linux 6.18). The simulator's time is that of its clock since the epoch.
  //
  // None at the end of the stream; on Unix sockets; unless the stream has
  // StreamOptions::receive_timestamps, and for what had arrived before; for
  // what Receive() or ReceiveUntil() had begun to receive. Also for a moment
  // after the first socket of the machine has got that option, as the kernel
  // begins to note times a little later.
  std::optional<absl::Time> received_at;
};

class [[nodiscard]] TimedReadOp : public StreamRead {
 public:
  TimedReadOp(internal::StreamCore* core, std::span<std::byte> buffer);

  // As ReadOp.
  bool await_ready() const noexcept { return part_.iov_len == 0 && usable(); }
  absl::StatusOr<TimedRead> await_resume() const;

 private:
  std::optional<absl::Time> ReceivedAt() const;

  iovec part_;
  msghdr message_ = {};
  // Zeros, which are no message, unless the kernel writes one.
  alignas(cmsghdr)
      std::array<std::byte, CMSG_SPACE(sizeof(timespec))> control_ = {};
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_SOCKET_TIMED_READ_H_
