// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/operation.h"

namespace ringway {

const char* OpCodeName(OpCode opcode) {
  switch (opcode) {
    case OpCode::kNop:
      return "nop";
    case OpCode::kRead:
      return "read";
    case OpCode::kReadv:
      return "readv";
    case OpCode::kWrite:
      return "write";
    case OpCode::kWritev:
      return "writev";
    case OpCode::kClose:
      return "close";
    case OpCode::kPoll:
      return "poll";
    case OpCode::kPollMultishot:
      return "multishot poll";
    case OpCode::kSplice:
      return "splice";
    case OpCode::kSendFile:
      return "sendfile";
    case OpCode::kSocket:
      return "socket";
    case OpCode::kBind:
      return "bind";
    case OpCode::kListen:
      return "listen";
    case OpCode::kAccept:
      return "accept";
    case OpCode::kAcceptMultishot:
      return "multishot accept";
    case OpCode::kConnect:
      return "connect";
    case OpCode::kShutdown:
      return "shutdown";
    case OpCode::kRecv:
      return "recv";
    case OpCode::kRecvMsg:
      return "recvmsg";
    case OpCode::kRecvMultishot:
      return "multishot recv";
    case OpCode::kRecvMsgMultishot:
      return "multishot recvmsg";
    case OpCode::kSend:
      return "send";
    case OpCode::kSendMsg:
      return "sendmsg";
    case OpCode::kSendZeroCopy:
      return "zero-copy send";
    case OpCode::kSendMsgZeroCopy:
      return "zero-copy sendmsg";
    case OpCode::kOpenAt:
      return "openat";
    case OpCode::kStatx:
      return "statx";
    case OpCode::kFsync:
      return "fsync";
    case OpCode::kFallocate:
      return "fallocate";
    case OpCode::kTruncate:
      return "ftruncate";
    case OpCode::kRename:
      return "rename";
    case OpCode::kUnlink:
      return "unlink";
    case OpCode::kMkdir:
      return "mkdir";
    case OpCode::kLink:
      return "link";
    case OpCode::kSymlink:
      return "symlink";
    case OpCode::kWaitPid:
      return "waitpid";
    case OpCode::kUringCommand:
      return "io_uring command";
  }
  return "unknown";
}

bool UsesFd(const Operation& op, int fd) {
  switch (op.opcode) {
    case OpCode::kNop:
    case OpCode::kSocket:  // the field holds the domain
    case OpCode::kOpenAt:
    case OpCode::kStatx:
    case OpCode::kRename:
    case OpCode::kUnlink:
    case OpCode::kMkdir:
    case OpCode::kLink:
    case OpCode::kSymlink:
      return false;
    default:
      return fd >= 0 && (op.fd == fd || op.fd2 == fd);
  }
}

}  // namespace ringway
