// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/fault_table.h"

#include <cerrno>

namespace ringway::sim {
namespace {

constexpr int kMemory[] = {ENOMEM};
constexpr int kReceive[] = {ECONNRESET, ENOBUFS, ENOMEM, ETIMEDOUT};
constexpr int kSend[] = {ECONNRESET, ENOBUFS, ENOMEM, EPIPE};
constexpr int kFileRead[] = {EIO};
constexpr int kFileWrite[] = {EDQUOT, EIO, ENOSPC};
constexpr int kMove[] = {EIO, ENOMEM};
constexpr int kClose[] = {EDQUOT, EIO, ENOSPC};
constexpr int kSocket[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
constexpr int kBind[] = {EADDRINUSE, ENOMEM};
constexpr int kListen[] = {EADDRINUSE};
constexpr int kAccept[] = {ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM};
constexpr int kConnect[] = {EADDRNOTAVAIL, ECONNREFUSED, EHOSTUNREACH,
                            ENETUNREACH, ETIMEDOUT};
constexpr int kOpen[] = {EIO, EMFILE, ENFILE, ENOMEM, ENOSPC};
constexpr int kLookUp[] = {EIO, ENOMEM};
constexpr int kFsync[] = {EDQUOT, EIO, ENOSPC};
constexpr int kLock[] = {ENOLCK, ENOMEM};
constexpr int kDirectoryChange[] = {EDQUOT, EIO, ENOMEM, ENOSPC};

}  // namespace

std::span<const int> PossibleErrors(OpCode opcode, bool is_socket) {
  switch (opcode) {
    case OpCode::kNop:
    case OpCode::kWaitPid:
    case OpCode::kUringCommand:
    case OpCode::kShutdown:
    case OpCode::kSeek:
    case OpCode::kMakeWatcher:
    case OpCode::kAddWatch:
    case OpCode::kRemoveWatch:
      return {};
    case OpCode::kPoll:
    case OpCode::kPollMultishot:
      return kMemory;
    case OpCode::kRead:
    case OpCode::kReadv:
      if (is_socket) return kReceive;
      return kFileRead;
    case OpCode::kWrite:
    case OpCode::kWritev:
      if (is_socket) return kSend;
      return kFileWrite;
    case OpCode::kClose:
      return kClose;
    case OpCode::kSplice:
    case OpCode::kSendFile:
      return kMove;
    case OpCode::kSocket:
      return kSocket;
    case OpCode::kBind:
      return kBind;
    case OpCode::kListen:
      return kListen;
    case OpCode::kAccept:
    case OpCode::kAcceptMultishot:
      return kAccept;
    case OpCode::kConnect:
      return kConnect;
    case OpCode::kRecv:
    case OpCode::kRecvMsg:
    case OpCode::kRecvMultishot:
    case OpCode::kRecvMsgMultishot:
      return kReceive;
    case OpCode::kSend:
    case OpCode::kSendMsg:
    case OpCode::kSendZeroCopy:
    case OpCode::kSendMsgZeroCopy:
      return kSend;
    case OpCode::kOpenAt:
    case OpCode::kOpenAt2:
      return kOpen;
    case OpCode::kStatx:
    case OpCode::kReadLink:
    case OpCode::kGetDents:
    case OpCode::kFadvise:
    case OpCode::kAccess:
    case OpCode::kStatFs:
    case OpCode::kRealPath:
      return kLookUp;
    case OpCode::kCopyFileRange:
      return kFileWrite;
    case OpCode::kLock:
      return kLock;
    case OpCode::kFsync:
    case OpCode::kSyncFileRange:
      return kFsync;
    case OpCode::kFallocate:
    case OpCode::kTruncate:
    case OpCode::kRename:
    case OpCode::kUnlink:
    case OpCode::kMkdir:
    case OpCode::kLink:
    case OpCode::kSymlink:
    case OpCode::kChmod:
    case OpCode::kChown:
    case OpCode::kSetTimes:
      return kDirectoryChange;
  }
  return {};
}

}  // namespace ringway::sim
