// SPDX-License-Identifier: Apache-2.0
//
// OpCode: the operations, and one table of their properties. Facts that only
// one backend needs are in that backend.
//
// docs/backends.md lists the steps of adding an operation, beginning here.

#ifndef RINGWAY_BACKENDS_OPCODE_H_
#define RINGWAY_BACKENDS_OPCODE_H_

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace ringway {

// Every backend switches over all of these without a default, so a new one
// breaks the build of a backend that does not handle it.
enum class OpCode : uint8_t {
  kNop,
  // Any fd.
  kRead,
  kReadv,
  kWrite,
  kWritev,
  kClose,
  kPoll,
  kPollMultishot,
  kSplice,
  kSendFile,
  // Sockets.
  kSocket,
  kBind,
  kListen,
  kAccept,
  kAcceptMultishot,
  kConnect,
  kShutdown,
  kRecv,
  kRecvMsg,
  kRecvMultishot,
  kRecvMsgMultishot,
  kSend,
  kSendMsg,
  kSendZeroCopy,
  kSendMsgZeroCopy,
  // Files and directories.
  kOpenAt,
  kStatx,
  kFsync,
  kSyncFileRange,
  kFallocate,
  kTruncate,
  kRename,
  kUnlink,
  kMkdir,
  kLink,
  kSymlink,
  kOpenAt2,
  kReadLink,
  kGetDents,
  kSeek,
  kCopyFileRange,
  kFadvise,
  kLock,
  kChmod,
  kChown,
  kSetTimes,
  kAccess,
  kStatFs,
  kRealPath,
  kMakeWatcher,
  kAddWatch,
  kRemoveWatch,
  // Processes and devices.
  kWaitPid,
  kUringCommand,
};

inline constexpr size_t kOpCodeCount =
    static_cast<size_t>(OpCode::kUringCommand) + 1;

// How a backend carries out an opcode.
enum class Support : uint8_t {
  kNative,         // by the kernel's asynchronous interface
  kEmulated,       // by other means, with the same results
  kUnimplemented,  // not at all: -EOPNOTSUPP
};

// The columns of the table.
namespace opcode {

using enum Support;
// Which of Operation::fd and fd2 are files that it works on. Directories that
// paths are relative to do not count.
enum Fds : uint8_t { kNoFd, kFd, kTwoFds };

// The readiness of its fd that it waits for.
enum Waits : uint8_t { kNever, kToRead, kToWrite, kForEvents, kTwoSides };

// The deliveries of a DeliveringOperation. Other operations have none.
enum Deliveries : uint8_t { kNothing, kEvents, kFds, kBuffers, kSentBytes };

// Whether its result is a new fd. Fds that are delivered do not count.
enum Makes : uint8_t { kMakesNoFd, kMakesFd };

}  // namespace opcode

struct OpCodeTraits {
  OpCode opcode;
  char name[18];  // for messages and traces; in place, so nothing is relocated
  opcode::Fds fds;
  opcode::Waits waits;
  Support by_readiness;  // without io_uring
  opcode::Deliveries deliveries = opcode::kNothing;
  opcode::Makes makes = opcode::kMakesNoFd;
};

namespace opcode {

// In the order of the enumeration (checked below).
// clang-format off
inline constexpr OpCodeTraits kTable[] = {
    {OpCode::kNop, "nop", kNoFd, kNever, kNative},
    {OpCode::kRead, "read", kFd, kToRead, kNative},
    {OpCode::kReadv, "readv", kFd, kToRead, kNative},
    {OpCode::kWrite, "write", kFd, kToWrite, kNative},
    {OpCode::kWritev, "writev", kFd, kToWrite, kNative},
    {OpCode::kClose, "close", kFd, kNever, kNative},
    {OpCode::kPoll, "poll", kFd, kForEvents, kNative},
    {OpCode::kPollMultishot, "multishot poll", kFd, kForEvents, kNative, kEvents},
    {OpCode::kSplice, "splice", kTwoFds, kTwoSides, kNative},
    {OpCode::kSendFile, "sendfile", kTwoFds, kToWrite, kEmulated},
    {OpCode::kSocket, "socket", kNoFd, kNever, kNative, kNothing, kMakesFd},
    {OpCode::kBind, "bind", kFd, kNever, kNative},
    {OpCode::kListen, "listen", kFd, kNever, kNative},
    {OpCode::kAccept, "accept", kFd, kToRead, kNative, kNothing, kMakesFd},
    {OpCode::kAcceptMultishot, "multishot accept", kFd, kToRead, kNative, kFds},
    {OpCode::kConnect, "connect", kFd, kToWrite, kNative},
    {OpCode::kShutdown, "shutdown", kFd, kNever, kNative},
    {OpCode::kRecv, "recv", kFd, kToRead, kNative},
    {OpCode::kRecvMsg, "recvmsg", kFd, kToRead, kNative},
    {OpCode::kRecvMultishot, "multishot recv", kFd, kToRead, kNative, kBuffers},
    {OpCode::kRecvMsgMultishot, "multishot recvmsg", kFd, kToRead, kNative, kBuffers},
    {OpCode::kSend, "send", kFd, kToWrite, kNative},
    {OpCode::kSendMsg, "sendmsg", kFd, kToWrite, kNative},
    {OpCode::kSendZeroCopy, "zero-copy send", kFd, kToWrite, kEmulated, kSentBytes},
    {OpCode::kSendMsgZeroCopy, "zero-copy sendmsg", kFd, kToWrite, kEmulated, kSentBytes},
    {OpCode::kOpenAt, "openat", kNoFd, kNever, kEmulated, kNothing, kMakesFd},
    {OpCode::kStatx, "statx", kNoFd, kNever, kEmulated},
    {OpCode::kFsync, "fsync", kFd, kNever, kEmulated},
    {OpCode::kSyncFileRange, "sync_file_range", kFd, kNever, kEmulated},
    {OpCode::kFallocate, "fallocate", kFd, kNever, kEmulated},
    {OpCode::kTruncate, "ftruncate", kFd, kNever, kEmulated},
    {OpCode::kRename, "rename", kNoFd, kNever, kEmulated},
    {OpCode::kUnlink, "unlink", kNoFd, kNever, kEmulated},
    {OpCode::kMkdir, "mkdir", kNoFd, kNever, kEmulated},
    {OpCode::kLink, "link", kNoFd, kNever, kEmulated},
    {OpCode::kSymlink, "symlink", kNoFd, kNever, kEmulated},
    {OpCode::kOpenAt2, "openat2", kNoFd, kNever, kEmulated, kNothing, kMakesFd},
    {OpCode::kReadLink, "readlink", kNoFd, kNever, kEmulated},
    {OpCode::kGetDents, "getdents", kFd, kNever, kEmulated},
    {OpCode::kSeek, "lseek", kFd, kNever, kEmulated},
    {OpCode::kCopyFileRange, "copy_file_range", kTwoFds, kNever, kEmulated},
    {OpCode::kFadvise, "fadvise", kFd, kNever, kEmulated},
    {OpCode::kLock, "lock", kFd, kNever, kEmulated},
    {OpCode::kChmod, "chmod", kNoFd, kNever, kEmulated},
    {OpCode::kChown, "chown", kNoFd, kNever, kEmulated},
    {OpCode::kSetTimes, "utimensat", kNoFd, kNever, kEmulated},
    {OpCode::kAccess, "access", kNoFd, kNever, kEmulated},
    {OpCode::kStatFs, "statfs", kNoFd, kNever, kEmulated},
    {OpCode::kRealPath, "realpath", kNoFd, kNever, kEmulated},
    {OpCode::kMakeWatcher, "inotify_init", kNoFd, kNever, kNative, kNothing, kMakesFd},
    {OpCode::kAddWatch, "inotify_add", kFd, kNever, kEmulated},
    {OpCode::kRemoveWatch, "inotify_remove", kFd, kNever, kNative},
    {OpCode::kWaitPid, "waitpid", kFd, kToRead, kNative},
    {OpCode::kUringCommand, "io_uring command", kFd, kNever, kUnimplemented},
};
// clang-format on

constexpr bool IsInOrder() {
  for (size_t i = 0; i < kOpCodeCount; ++i) {
    if (kTable[i].opcode != static_cast<OpCode>(i)) return false;
  }
  return true;
}
static_assert(std::size(kTable) == kOpCodeCount && IsInOrder());

}  // namespace opcode

constexpr const OpCodeTraits& TraitsOf(OpCode opcode) {
  return opcode::kTable[static_cast<size_t>(opcode)];
}

// "recv", "accept", ...
constexpr const char* OpCodeName(OpCode opcode) {
  return TraitsOf(opcode).name;
}

// True for the opcodes that only a DeliveringOperation may have.
constexpr bool Delivers(OpCode opcode) {
  return TraitsOf(opcode).deliveries != opcode::kNothing;
}

// True for those whose deliveries are lent buffers.
constexpr bool LendsBuffers(OpCode opcode) {
  return TraitsOf(opcode).deliveries == opcode::kBuffers;
}

constexpr bool IsZeroCopySend(OpCode opcode) {
  return TraitsOf(opcode).deliveries == opcode::kSentBytes;
}

// True for those that work on two fds.
constexpr bool IsTwoSided(OpCode opcode) {
  return TraitsOf(opcode).fds == opcode::kTwoFds;
}

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_OPCODE_H_
