// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/timed_read.h"

#include <cstring>

#include "ringway/backends/prepare.h"

namespace ringway::net {

TimedReadOp::TimedReadOp(internal::StreamCore* core,
                         std::span<std::byte> buffer)
    : StreamRead(core),
      part_{.iov_base = buffer.data(), .iov_len = buffer.size()} {
  if (!usable()) return;
  // A Unix socket has no times, and would fill the room with the fds that a
  // peer may send.
  if (core->IsUnix()) {
    PrepareRecv(*this, core->fd(), buffer);
    return;
  }
  message_.msg_iov = &part_;
  message_.msg_iovlen = 1;
  message_.msg_control = control_.data();
  message_.msg_controllen = control_.size();
  PrepareRecvMsg(*this, core->fd(), message_);
}

std::optional<absl::Time> TimedReadOp::ReceivedAt() const {
  cmsghdr header;
  memcpy(&header, control_.data(), sizeof(header));
  if (header.cmsg_level != SOL_SOCKET || header.cmsg_type != SO_TIMESTAMPNS)
    return std::nullopt;
  timespec time;
  memcpy(&time, control_.data() + CMSG_LEN(0), sizeof(time));
  return absl::TimeFromTimespec(time);
}

absl::StatusOr<TimedRead> TimedReadOp::await_resume() const {
  const absl::StatusOr<size_t> n_bytes = Result();
  if (!n_bytes.ok()) return n_bytes.status();
  TimedRead read;
  read.n_bytes = *n_bytes;
  if (*n_bytes > 0) read.received_at = ReceivedAt();
  return read;
}

}  // namespace ringway::net
