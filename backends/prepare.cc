// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/prepare.h"

#include <linux/openat2.h>
#include <sys/inotify.h>

#include <algorithm>
#include <limits>

#include "ringway/core/check.h"

namespace ringway {
namespace {

// Linux transfers at most this much in one call; a longer request is a short
// transfer, and lengths of 4 GiB must not wrap around in the 32-bit field.
constexpr size_t kMaxTransfer = 0x7ffff000;

void Prepare(Operation& op, OpCode opcode, int fd) {
  RINGWAY_CHECK(!op.active(), "a %s operation was prepared again while active",
                OpCodeName(op.opcode));
  op.state = OpState::kIdle;
  op.cancel_requested = false;
  op.opcode = opcode;
  op.fd = fd;
  op.fd2 = -1;
  op.flags = 0;
  op.length = 0;
  op.address = nullptr;
  op.address2 = nullptr;
  op.offset = 0;
  op.offset2 = 0;
  op.backend = BackendState();
  op.result = 0;
}

void SetBuffer(Operation& op, const void* data, size_t n_bytes) {
  op.address = const_cast<void*>(data);
  op.length = static_cast<uint32_t>(std::min(n_bytes, kMaxTransfer));
}

void PrepareBytes(Operation& op, OpCode opcode, int fd, const void* data,
                  size_t n_bytes) {
  Prepare(op, opcode, fd);
  SetBuffer(op, data, n_bytes);
}

void PrepareVectors(Operation& op, OpCode opcode, int fd,
                    std::span<const iovec> vectors, int64_t offset) {
  Prepare(op, opcode, fd);
  op.address = const_cast<iovec*>(vectors.data());
  op.length = static_cast<uint32_t>(
      std::min<size_t>(vectors.size(), std::numeric_limits<int32_t>::max()));
  op.offset = offset;
}

void PrepareMessage(Operation& op, OpCode opcode, int fd, const msghdr& message,
                    int flags) {
  Prepare(op, opcode, fd);
  op.address = const_cast<msghdr*>(&message);
  op.flags = static_cast<uint32_t>(flags);
}

// Two paths: `fd` and `address` are the old one, `fd2` and `address2` the new.
void PreparePaths(Operation& op, OpCode opcode, int old_directory,
                  const char* old_path, int new_directory,
                  const char* new_path) {
  Prepare(op, opcode, old_directory);
  op.address = const_cast<char*>(old_path);
  op.fd2 = new_directory;
  op.address2 = const_cast<char*>(new_path);
}

void PreparePath(Operation& op, OpCode opcode, int directory,
                 const char* path) {
  Prepare(op, opcode, directory);
  op.address = const_cast<char*>(path);
}

}  // namespace

void PrepareNop(Operation& op) { Prepare(op, OpCode::kNop, -1); }

void PrepareRead(Operation& op, int fd, std::span<std::byte> buffer,
                 int64_t offset, uint32_t flags) {
  PrepareBytes(op, OpCode::kRead, fd, buffer.data(), buffer.size());
  op.offset = offset;
  op.flags = flags;
}

void PrepareWrite(Operation& op, int fd, std::span<const std::byte> buffer,
                  int64_t offset, uint32_t flags) {
  PrepareBytes(op, OpCode::kWrite, fd, buffer.data(), buffer.size());
  op.offset = offset;
  op.flags = flags;
}

void PrepareReadv(Operation& op, int fd, std::span<const iovec> buffers,
                  int64_t offset, uint32_t flags) {
  PrepareVectors(op, OpCode::kReadv, fd, buffers, offset);
  op.flags = flags;
}

void PrepareWritev(Operation& op, int fd, std::span<const iovec> buffers,
                   int64_t offset, uint32_t flags) {
  PrepareVectors(op, OpCode::kWritev, fd, buffers, offset);
  op.flags = flags;
}

void PrepareClose(Operation& op, int fd) { Prepare(op, OpCode::kClose, fd); }

void PreparePoll(Operation& op, int fd, uint32_t events) {
  Prepare(op, OpCode::kPoll, fd);
  op.flags = events;
}

void PreparePollMultishot(DeliveringOperation& op, int fd, uint32_t events) {
  Prepare(op, OpCode::kPollMultishot, fd);
  op.flags = events;
}

void PrepareSplice(Operation& op, int from, int64_t from_offset, int to,
                   int64_t to_offset, size_t n_bytes, unsigned flags) {
  PrepareBytes(op, OpCode::kSplice, to, nullptr, n_bytes);
  op.offset = to_offset;
  op.fd2 = from;
  op.offset2 = from_offset;
  op.flags = flags;
}

void PrepareSendFile(Operation& op, int to, int from, int64_t offset,
                     size_t n_bytes, int flags) {
  PrepareBytes(op, OpCode::kSendFile, to, nullptr, n_bytes);
  op.flags = static_cast<uint32_t>(flags | MSG_NOSIGNAL);
  op.fd2 = from;
  op.offset2 = offset;
}

void PrepareSocket(Operation& op, int domain, int type, int protocol) {
  Prepare(op, OpCode::kSocket, domain);
  op.offset = type | SOCK_CLOEXEC;
  op.length = static_cast<uint32_t>(protocol);
}

void PrepareBind(Operation& op, int fd, const sockaddr* address,
                 socklen_t length) {
  PrepareBytes(op, OpCode::kBind, fd, address, length);
}

void PrepareListen(Operation& op, int fd, int backlog) {
  Prepare(op, OpCode::kListen, fd);
  op.length = static_cast<uint32_t>(backlog);
}

void PrepareAccept(Operation& op, int fd, sockaddr* address,
                   socklen_t* length) {
  Prepare(op, OpCode::kAccept, fd);
  op.address = address;
  op.address2 = length;
  op.flags = SOCK_CLOEXEC;
}

void PrepareAcceptMultishot(DeliveringOperation& op, int fd) {
  Prepare(op, OpCode::kAcceptMultishot, fd);
  op.flags = SOCK_CLOEXEC;
}

void PrepareConnect(Operation& op, int fd, const sockaddr* address,
                    socklen_t length) {
  PrepareBytes(op, OpCode::kConnect, fd, address, length);
}

void PrepareShutdown(Operation& op, int fd, int how) {
  Prepare(op, OpCode::kShutdown, fd);
  op.flags = static_cast<uint32_t>(how);
}

void PrepareRecv(Operation& op, int fd, std::span<std::byte> buffer,
                 int flags) {
  PrepareBytes(op, OpCode::kRecv, fd, buffer.data(), buffer.size());
  op.flags = static_cast<uint32_t>(flags);
}

void PrepareRecvMsg(Operation& op, int fd, msghdr& message, int flags) {
  PrepareMessage(op, OpCode::kRecvMsg, fd, message, flags | MSG_CMSG_CLOEXEC);
}

void PrepareRecvMultishot(DeliveringOperation& op, int fd) {
  Prepare(op, OpCode::kRecvMultishot, fd);
}

void PrepareRecvMsgMultishot(DeliveringOperation& op, int fd, msghdr& message,
                             int flags) {
  PrepareMessage(op, OpCode::kRecvMsgMultishot, fd, message,
                 flags | MSG_CMSG_CLOEXEC);
}

void ReplaceBuffer(Operation& op, std::span<const std::byte> buffer) {
  RINGWAY_CHECK(op.state != OpState::kInFlight,
                "a %s operation in flight got another buffer",
                OpCodeName(op.opcode));
  SetBuffer(op, buffer.data(), buffer.size());
}

void PrepareSend(Operation& op, int fd, std::span<const std::byte> buffer,
                 int flags) {
  PrepareBytes(op, OpCode::kSend, fd, buffer.data(), buffer.size());
  op.flags = static_cast<uint32_t>(flags | MSG_NOSIGNAL);
}

void PrepareSendMsg(Operation& op, int fd, const msghdr& message, int flags) {
  PrepareMessage(op, OpCode::kSendMsg, fd, message, flags | MSG_NOSIGNAL);
}

void PrepareSendZeroCopy(DeliveringOperation& op, int fd,
                         std::span<const std::byte> buffer, int flags) {
  PrepareSend(op, fd, buffer, flags);
  op.opcode = OpCode::kSendZeroCopy;
}

void PrepareSendMsgZeroCopy(DeliveringOperation& op, int fd,
                            const msghdr& message, int flags) {
  PrepareMessage(op, OpCode::kSendMsgZeroCopy, fd, message,
                 flags | MSG_NOSIGNAL);
}

void PrepareOpenAt(Operation& op, int directory, const char* path, int flags,
                   mode_t mode) {
  PreparePath(op, OpCode::kOpenAt, directory, path);
  op.flags = static_cast<uint32_t>(flags | O_CLOEXEC);
  op.length = mode;
}

void PrepareStatx(Operation& op, int directory, const char* path, int flags,
                  unsigned mask, struct statx* out) {
  PreparePath(op, OpCode::kStatx, directory, path);
  op.flags = static_cast<uint32_t>(flags);
  op.length = mask;
  op.address2 = out;
}

void PrepareLstat(Operation& op, const char* path, struct statx* out) {
  PrepareStatx(op, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, out);
}

void PrepareFsync(Operation& op, int fd) { Prepare(op, OpCode::kFsync, fd); }

void PrepareFdatasync(Operation& op, int fd) {
  Prepare(op, OpCode::kFsync, fd);
  op.flags = kFsyncDataOnly;
}

void PrepareSyncFileRange(Operation& op, int fd, int64_t offset,
                          uint32_t n_bytes, unsigned flags) {
  Prepare(op, OpCode::kSyncFileRange, fd);
  op.flags = flags;
  op.offset = offset;
  op.length = n_bytes;
}

void PrepareFallocate(Operation& op, int fd, int mode, int64_t offset,
                      int64_t n_bytes) {
  Prepare(op, OpCode::kFallocate, fd);
  op.flags = static_cast<uint32_t>(mode);
  op.offset = offset;
  op.offset2 = n_bytes;
}

void PrepareTruncate(Operation& op, int fd, int64_t n_bytes) {
  Prepare(op, OpCode::kTruncate, fd);
  op.offset = n_bytes;
}

void PrepareRename(Operation& op, int old_directory, const char* old_path,
                   int new_directory, const char* new_path, unsigned flags) {
  PreparePaths(op, OpCode::kRename, old_directory, old_path, new_directory,
               new_path);
  op.flags = flags;
}

void PrepareUnlink(Operation& op, int directory, const char* path) {
  PreparePath(op, OpCode::kUnlink, directory, path);
}

void PrepareRmdir(Operation& op, int directory, const char* path) {
  PreparePath(op, OpCode::kUnlink, directory, path);
  op.flags = AT_REMOVEDIR;
}

void PrepareMkdir(Operation& op, int directory, const char* path, mode_t mode) {
  PreparePath(op, OpCode::kMkdir, directory, path);
  op.length = mode;
}

void PrepareLink(Operation& op, int old_directory, const char* old_path,
                 int new_directory, const char* new_path, int flags) {
  PreparePaths(op, OpCode::kLink, old_directory, old_path, new_directory,
               new_path);
  op.flags = static_cast<uint32_t>(flags);
}

void PrepareSymlink(Operation& op, const char* target, int directory,
                    const char* path) {
  PreparePaths(op, OpCode::kSymlink, -1, target, directory, path);
}

void PrepareOpenAt2(Operation& op, int directory, const char* path,
                    open_how& how) {
  PreparePath(op, OpCode::kOpenAt2, directory, path);
  how.flags |= O_CLOEXEC;
  op.address2 = &how;
}

void PrepareReadLink(Operation& op, int directory, const char* path,
                     std::span<char> target) {
  PreparePath(op, OpCode::kReadLink, directory, path);
  op.address2 = target.data();
  op.length = static_cast<uint32_t>(std::min(target.size(), kMaxTransfer));
}

void PrepareGetDents(Operation& op, int fd, std::span<std::byte> entries) {
  PrepareBytes(op, OpCode::kGetDents, fd, entries.data(), entries.size());
}

void PrepareSeek(Operation& op, int fd, int64_t offset, int whence,
                 int64_t* position) {
  Prepare(op, OpCode::kSeek, fd);
  op.offset = offset;
  op.flags = static_cast<uint32_t>(whence);
  op.address = position;
}

void PrepareCopyFileRange(Operation& op, int from, int64_t from_offset, int to,
                          int64_t to_offset, size_t n_bytes) {
  PrepareBytes(op, OpCode::kCopyFileRange, to, nullptr, n_bytes);
  op.offset = to_offset;
  op.fd2 = from;
  op.offset2 = from_offset;
}

void PrepareFadvise(Operation& op, int fd, int64_t offset, uint32_t n_bytes,
                    int advice) {
  Prepare(op, OpCode::kFadvise, fd);
  op.offset = offset;
  op.length = n_bytes;
  op.flags = static_cast<uint32_t>(advice);
}

void PrepareLock(Operation& op, int fd, int type, int64_t offset,
                 int64_t n_bytes) {
  Prepare(op, OpCode::kLock, fd);
  op.flags = static_cast<uint32_t>(type);
  op.offset = offset;
  op.offset2 = n_bytes;
}

void PrepareChmod(Operation& op, int directory, const char* path, mode_t mode,
                  int flags) {
  PreparePath(op, OpCode::kChmod, directory, path);
  op.length = mode;
  op.flags = static_cast<uint32_t>(flags);
}

void PrepareChown(Operation& op, int directory, const char* path, uid_t uid,
                  gid_t gid, int flags) {
  PreparePath(op, OpCode::kChown, directory, path);
  op.offset = uid;
  op.offset2 = gid;
  op.flags = static_cast<uint32_t>(flags);
}

void PrepareSetTimes(Operation& op, int directory, const char* path,
                     const std::array<timespec, 2>& times, int flags) {
  PreparePath(op, OpCode::kSetTimes, directory, path);
  op.address2 = const_cast<timespec*>(times.data());
  op.flags = static_cast<uint32_t>(flags);
}

void PrepareAccess(Operation& op, int directory, const char* path, int mode,
                   int flags) {
  PreparePath(op, OpCode::kAccess, directory, path);
  op.length = static_cast<uint32_t>(mode);
  op.flags = static_cast<uint32_t>(flags);
}

void PrepareStatFs(Operation& op, const char* path, struct statfs* out) {
  PreparePath(op, OpCode::kStatFs, AT_FDCWD, path);
  op.address2 = out;
}

void PrepareRealPath(Operation& op, const char* path,
                     std::span<char> resolved) {
  PreparePath(op, OpCode::kRealPath, AT_FDCWD, path);
  op.address2 = resolved.data();
  op.length = static_cast<uint32_t>(std::min(resolved.size(), kMaxTransfer));
}

void PrepareMakeWatcher(Operation& op, int flags) {
  Prepare(op, OpCode::kMakeWatcher, -1);
  op.flags = static_cast<uint32_t>(flags | IN_CLOEXEC);
}

void PrepareAddWatch(Operation& op, int watcher, const char* path,
                     uint32_t mask) {
  PreparePath(op, OpCode::kAddWatch, watcher, path);
  op.flags = mask;
}

void PrepareRemoveWatch(Operation& op, int watcher, int watch) {
  Prepare(op, OpCode::kRemoveWatch, watcher);
  op.length = static_cast<uint32_t>(watch);
}

void PrepareWaitPid(Operation& op, int pidfd, siginfo_t* info) {
  Prepare(op, OpCode::kWaitPid, pidfd);
  op.address = info;
}

void PrepareUringCommand(Operation& op, int fd, uint32_t command,
                         std::span<const std::byte> arguments) {
  PrepareBytes(op, OpCode::kUringCommand, fd, arguments.data(),
               arguments.size());
  op.flags = command;
}

}  // namespace ringway
