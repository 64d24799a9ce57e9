// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/epoll/socket_transfer.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "ringway/backends/common/or_errno.h"
#include "ringway/backends/common/socket_type.h"
#include "ringway/backends/datagram.h"

namespace ringway::epoll {
namespace {

constexpr int64_t kMaxTransfer = 0x7ffff000;  // the most that one call moves

// The number of message parts processed at a time, once it has begun.
constexpr size_t kSlice = 64;

bool IsMessage(OpCode opcode) {
  return opcode == OpCode::kRecvMsg || opcode == OpCode::kSendMsg ||
         opcode == OpCode::kSendMsgZeroCopy;
}

bool IsReceive(OpCode opcode) {
  return opcode == OpCode::kRecv || opcode == OpCode::kRecvMsg;
}

// StepTransfer() itself moves all that MSG_WAITALL asks for. The kernel would
// ignore the flag, or refuse it: a send with kernel TLS returns EOPNOTSUPP.
int NonBlocking(const Operation& op) {
  return (static_cast<int>(op.flags) & ~MSG_WAITALL) | MSG_DONTWAIT;
}

// The number of bytes moved.
int64_t Progress(const Operation& op) { return op.backend.progress; }

// The total number of bytes of `op`.
int64_t TotalBytes(const Operation& op) {
  if (!IsMessage(op.opcode)) return op.length;
  const msghdr& message = *static_cast<const msghdr*>(op.address);
  int64_t total = 0;
  for (size_t i = 0; i < message.msg_iovlen && total < kMaxTransfer; ++i) {
    total += static_cast<int64_t>(
        std::min<size_t>(message.msg_iov[i].iov_len, kMaxTransfer));
  }
  return std::min(total, kMaxTransfer);
}

// Fills `slice` with the parts of `message` from byte `from` to byte `to`, as
// far as they fit. Returns their number.
size_t SliceOf(const msghdr& message, int64_t from, int64_t to,
               std::array<iovec, kSlice>& slice) {
  size_t n = 0;
  int64_t position = 0;
  for (size_t i = 0; i < message.msg_iovlen && n < kSlice && position < to;
       ++i) {
    const iovec& part = message.msg_iov[i];
    const int64_t end = position + static_cast<int64_t>(part.iov_len);
    const int64_t begin = std::max(position, from);
    if (begin < std::min(end, to)) {
      slice[n++] = {static_cast<char*>(part.iov_base) + (begin - position),
                    static_cast<size_t>(std::min(end, to) - begin)};
    }
    position = end;
  }
  return n;
}

int64_t MoveMessage(const Operation& op, int64_t to, int64_t total) {
  msghdr& message = *static_cast<msghdr*>(op.address);
  const bool receive = IsReceive(op.opcode);
  const bool first = Progress(op) == 0;
  if (first && to == total) {
    return OrErrno(receive ? recvmsg(op.fd, &message, NonBlocking(op))
                           : sendmsg(op.fd, &message, NonBlocking(op)));
  }
  // Addresses and control data belong to the first part.
  std::array<iovec, kSlice> slice;
  msghdr part = first ? message : msghdr();
  part.msg_iov = slice.data();
  part.msg_iovlen = SliceOf(message, Progress(op), to, slice);
  const int64_t n = OrErrno(receive ? recvmsg(op.fd, &part, NonBlocking(op))
                                    : sendmsg(op.fd, &part, NonBlocking(op)));
  if (first && receive && n >= 0) {
    message.msg_namelen = part.msg_namelen;
    message.msg_controllen = part.msg_controllen;
    message.msg_flags = part.msg_flags;
  }
  return n;
}

// Transfers from the current progress up to byte `to` of `total`.
int64_t Move(const Operation& op, int64_t to, int64_t total) {
  if (IsMessage(op.opcode)) return MoveMessage(op, to, total);
  char* rest = static_cast<char*>(op.address) + Progress(op);
  const size_t n_bytes = static_cast<size_t>(to - Progress(op));
  return OrErrno(IsReceive(op.opcode)
                     ? recv(op.fd, rest, n_bytes, NonBlocking(op))
                     : send(op.fd, rest, n_bytes, NonBlocking(op)));
}

}  // namespace

bool IsTransfer(OpCode opcode) {
  return IsMessage(opcode) || opcode == OpCode::kRecv ||
         opcode == OpCode::kSend || opcode == OpCode::kSendZeroCopy;
}

int32_t StepTransfer(Operation& op) {
  const bool whole =
      (op.flags & MSG_WAITALL) != 0 && (op.flags & MSG_PEEK) == 0;
  const int64_t total = TotalBytes(op);
  int64_t end = total;
  if (whole && end - Progress(op) > kMaxStep && !KeepsBoundaries(op.fd)) {
    end = Progress(op) + kMaxStep;
  }
  while (true) {
    const int64_t n = Move(op, end, total);
    if (n == -EINTR) continue;
    if (n == -EAGAIN && (op.flags & MSG_DONTWAIT) == 0) return -EAGAIN;
    if (n < 0) return static_cast<int32_t>(Progress(op) > 0 ? Progress(op) : n);
    if (!whole) return static_cast<int32_t>(n);
    op.backend.progress += static_cast<uint32_t>(n);
    if (n == 0 || Progress(op) >= total || KeepsBoundaries(op.fd)) {
      return static_cast<int32_t>(Progress(op));
    }
    if (Progress(op) >= end) return kMoreToMove;
  }
}

int32_t ReceiveBytes(const Operation& op, std::span<std::byte> buffer) {
  return static_cast<int32_t>(
      OrErrno(recv(op.fd, buffer.data(), buffer.size(), NonBlocking(op))));
}

int32_t ReceiveDatagram(const Operation& op, std::span<std::byte> buffer) {
  const msghdr& room = *static_cast<const msghdr*>(op.address);
  const size_t payload_offset = DatagramPayloadOffset(op);
  if (payload_offset > buffer.size()) return -EFAULT;  // as on io_uring
  iovec payload = {buffer.data() + payload_offset,
                   buffer.size() - payload_offset};
  msghdr message = {};
  if (room.msg_namelen > 0) {
    message.msg_name = buffer.data() + sizeof(DatagramHeader);
    message.msg_namelen = room.msg_namelen;
  }
  if (room.msg_controllen > 0) {
    message.msg_control =
        buffer.data() + sizeof(DatagramHeader) + room.msg_namelen;
    message.msg_controllen = room.msg_controllen;
  }
  message.msg_iov = &payload;
  message.msg_iovlen = 1;
  // Without MSG_TRUNC, with which a TCP socket discards its bytes.
  const int64_t n = OrErrno(recvmsg(op.fd, &message, NonBlocking(op)));
  if (n < 0) return static_cast<int32_t>(n);
  if (n == 0 && !KeepsBoundaries(op.fd)) return 0;

  DatagramHeader header;
  header.name_bytes = message.msg_namelen;
  header.control_bytes = static_cast<uint32_t>(message.msg_controllen);
  header.payload_bytes = static_cast<uint32_t>(n);
  header.flags = static_cast<uint32_t>(message.msg_flags);
  memcpy(buffer.data(), &header, sizeof(header));
  return static_cast<int32_t>(
      payload_offset + std::min(static_cast<size_t>(n), payload.iov_len));
}

}  // namespace ringway::epoll
