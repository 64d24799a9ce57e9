// SPDX-License-Identifier: Apache-2.0

#include "backends/operation.h"

#include <algorithm>

namespace ringway {
namespace {

// Linux transfers at most this much in one call; a longer request is a short
// transfer, and lengths of 4 GiB must not wrap around in the 32-bit field.
constexpr size_t kMaxTransfer = 0x7ffff000;

void Prepare(Operation& op, OpCode opcode, int fd) {
  RINGWAY_CHECK(!op.active(), "a %s operation was prepared again while active",
                OpCodeName(op.opcode));
  op.opcode = opcode;
  op.state = OpState::kIdle;
  op.cancel_requested = false;
  op.needs_rearm = false;
  op.fd = fd;
  op.flags = 0;
  op.length = 0;
  op.address = nullptr;
  op.offset = 0;
  op.address_length = nullptr;
  op.result = 0;
}

void PrepareTransfer(Operation& op, OpCode opcode, int fd, const void* data,
                     size_t n_bytes) {
  Prepare(op, opcode, fd);
  op.address = const_cast<void*>(data);
  op.length = static_cast<uint32_t>(std::min(n_bytes, kMaxTransfer));
}

}  // namespace

const char* OpCodeName(OpCode opcode) {
  switch (opcode) {
    case OpCode::kNop:
      return "nop";
    case OpCode::kRead:
      return "read";
    case OpCode::kWrite:
      return "write";
    case OpCode::kRecv:
      return "recv";
    case OpCode::kSend:
      return "send";
    case OpCode::kRecvMsg:
      return "recvmsg";
    case OpCode::kSendMsg:
      return "sendmsg";
    case OpCode::kRecvMultishot:
      return "multishot recv";
    case OpCode::kAccept:
      return "accept";
    case OpCode::kAcceptMultishot:
      return "multishot accept";
    case OpCode::kConnect:
      return "connect";
    case OpCode::kSocket:
      return "socket";
    case OpCode::kShutdown:
      return "shutdown";
    case OpCode::kClose:
      return "close";
    case OpCode::kPoll:
      return "poll";
  }
  return "unknown";
}

void PrepareNop(Operation& op) { Prepare(op, OpCode::kNop, -1); }

void PrepareRead(Operation& op, int fd, std::span<std::byte> buffer,
                 int64_t offset) {
  PrepareTransfer(op, OpCode::kRead, fd, buffer.data(), buffer.size());
  op.offset = offset;
}

void PrepareWrite(Operation& op, int fd, std::span<const std::byte> buffer,
                  int64_t offset) {
  PrepareTransfer(op, OpCode::kWrite, fd, buffer.data(), buffer.size());
  op.offset = offset;
}

void PrepareRecv(Operation& op, int fd, std::span<std::byte> buffer,
                 int flags) {
  PrepareTransfer(op, OpCode::kRecv, fd, buffer.data(), buffer.size());
  op.flags = static_cast<uint32_t>(flags);
}

void PrepareSend(Operation& op, int fd, std::span<const std::byte> buffer,
                 int flags) {
  PrepareTransfer(op, OpCode::kSend, fd, buffer.data(), buffer.size());
  op.flags = static_cast<uint32_t>(flags | MSG_NOSIGNAL);
}

void PrepareRecvMsg(Operation& op, int fd, msghdr& message, int flags) {
  PrepareTransfer(op, OpCode::kRecvMsg, fd, &message, 1);
  op.flags = static_cast<uint32_t>(flags | MSG_CMSG_CLOEXEC);
}

void PrepareSendMsg(Operation& op, int fd, const msghdr& message, int flags) {
  PrepareTransfer(op, OpCode::kSendMsg, fd, &message, 1);
  op.flags = static_cast<uint32_t>(flags | MSG_NOSIGNAL);
}

void PrepareRecvMultishot(MultishotOperation& op, int fd) {
  Prepare(op, OpCode::kRecvMultishot, fd);
}

void PrepareAccept(Operation& op, int fd, sockaddr* address,
                   socklen_t* length) {
  Prepare(op, OpCode::kAccept, fd);
  op.address = address;
  op.address_length = length;
  op.flags = SOCK_CLOEXEC;
}

void PrepareAcceptMultishot(MultishotOperation& op, int fd) {
  Prepare(op, OpCode::kAcceptMultishot, fd);
  op.flags = SOCK_CLOEXEC;
}

void PrepareConnect(Operation& op, int fd, const sockaddr* address,
                    socklen_t length) {
  PrepareTransfer(op, OpCode::kConnect, fd, address, length);
}

void PrepareSocket(Operation& op, int domain, int type, int protocol) {
  Prepare(op, OpCode::kSocket, domain);
  op.offset = type | SOCK_CLOEXEC;
  op.length = static_cast<uint32_t>(protocol);
}

void PrepareShutdown(Operation& op, int fd, int how) {
  Prepare(op, OpCode::kShutdown, fd);
  op.flags = static_cast<uint32_t>(how);
}

void PrepareClose(Operation& op, int fd) { Prepare(op, OpCode::kClose, fd); }

void PreparePoll(Operation& op, int fd, uint32_t events) {
  Prepare(op, OpCode::kPoll, fd);
  op.flags = events;
}

}  // namespace ringway
