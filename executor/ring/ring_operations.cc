// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/ring/ring_operations.h"

#include <sys/socket.h>

#include <type_traits>
#include <utility>

#include "ringway/core/check.h"
#include "ringway/executor/ring/ring_core.h"

namespace ringway {
namespace {

using internal::RingCore;

template <typename... Params>
RingTask Start(RingCore& core, const Context& context,
               void (*prepare)(Operation&, Params...),
               std::type_identity_t<Params>... args) {
  return core.Start(context, [&](Operation& op) { prepare(op, args...); });
}

template <typename... Params>
RingTask StartMultishot(RingCore& core, const Context& context,
                        void (*prepare)(DeliveringOperation&, Params...),
                        std::type_identity_t<Params>... args) {
  return core.StartMultishot(
      context, [&](DeliveringOperation& op) { prepare(op, args...); });
}

}  // namespace

RingOperations::RingOperations(std::unique_ptr<RingCore> core)
    : core_(std::move(core)) {}
RingOperations::RingOperations(RingOperations&&) noexcept = default;
RingOperations::~RingOperations() = default;

RingCore& RingOperations::core() const {
  RINGWAY_CHECK(core_ != nullptr, "a Ring was used after it was moved from");
  core_->CheckThread();
  return *core_;
}

RingTask RingOperations::Nop(const Context& context) {
  return Start(core(), context, &PrepareNop);
}

// --- Any fd

RingTask RingOperations::Read(int fd, std::span<std::byte> buffer,
                              const Context& context, int64_t offset,
                              uint32_t flags) {
  return Start(core(), context, &PrepareRead, fd, buffer, offset, flags);
}

RingTask RingOperations::Write(int fd, std::span<const std::byte> buffer,
                               const Context& context, int64_t offset,
                               uint32_t flags) {
  return Start(core(), context, &PrepareWrite, fd, buffer, offset, flags);
}

RingTask RingOperations::Readv(int fd, std::span<const iovec> buffers,
                               const Context& context, int64_t offset) {
  return Start(core(), context, &PrepareReadv, fd, buffers, offset,
               uint32_t{0});
}

RingTask RingOperations::Writev(int fd, std::span<const iovec> buffers,
                                const Context& context, int64_t offset) {
  return Start(core(), context, &PrepareWritev, fd, buffers, offset,
               uint32_t{0});
}

RingTask RingOperations::Close(int fd, const Context& context) {
  return Start(core(), context, &PrepareClose, fd);
}

RingTask RingOperations::Poll(int fd, uint32_t events, const Context& context) {
  return Start(core(), context, &PreparePoll, fd, events);
}

RingTask RingOperations::PollMultishot(int fd, uint32_t events,
                                       const Context& context) {
  return StartMultishot(core(), context, &PreparePollMultishot, fd, events);
}

RingTask RingOperations::Splice(int from, int64_t from_offset, int to,
                                int64_t to_offset, size_t n_bytes,
                                const Context& context, unsigned flags) {
  return Start(core(), context, &PrepareSplice, from, from_offset, to,
               to_offset, n_bytes, flags);
}

RingTask RingOperations::SendFile(int to, int from, int64_t offset,
                                  size_t n_bytes, const Context& context) {
  return Start(core(), context, &PrepareSendFile, to, from, offset, n_bytes,
               MSG_WAITALL);
}

// --- Sockets

RingTask RingOperations::Socket(int domain, int type, int protocol,
                                const Context& context) {
  return Start(core(), context, &PrepareSocket, domain, type, protocol);
}

RingTask RingOperations::Bind(int fd, const sockaddr* address, socklen_t length,
                              const Context& context) {
  return Start(core(), context, &PrepareBind, fd, address, length);
}

RingTask RingOperations::Listen(int fd, int backlog, const Context& context) {
  return Start(core(), context, &PrepareListen, fd, backlog);
}

RingTask RingOperations::Accept(int fd, const Context& context,
                                sockaddr* address, socklen_t* length) {
  return Start(core(), context, &PrepareAccept, fd, address, length);
}

RingTask RingOperations::AcceptMultishot(int fd, const Context& context) {
  return StartMultishot(core(), context, &PrepareAcceptMultishot, fd);
}

RingTask RingOperations::Connect(int fd, const sockaddr* address,
                                 socklen_t length, const Context& context) {
  return Start(core(), context, &PrepareConnect, fd, address, length);
}

RingTask RingOperations::Shutdown(int fd, int how, const Context& context) {
  return Start(core(), context, &PrepareShutdown, fd, how);
}

RingTask RingOperations::Recv(int fd, std::span<std::byte> buffer,
                              const Context& context, int flags) {
  return Start(core(), context, &PrepareRecv, fd, buffer, flags);
}

RingTask RingOperations::RecvMsg(int fd, msghdr& message,
                                 const Context& context, int flags) {
  return Start(core(), context, &PrepareRecvMsg, fd, message, flags);
}

RingTask RingOperations::RecvMultishot(int fd, const Context& context) {
  return StartMultishot(core(), context, &PrepareRecvMultishot, fd);
}

RingTask RingOperations::RecvMsgMultishot(int fd, msghdr& message,
                                          const Context& context, int flags) {
  return StartMultishot(core(), context, &PrepareRecvMsgMultishot, fd, message,
                        flags);
}

RingTask RingOperations::Send(int fd, std::span<const std::byte> buffer,
                              const Context& context, int flags) {
  return Start(core(), context, &PrepareSend, fd, buffer, flags);
}

RingTask RingOperations::SendMsg(int fd, const msghdr& message,
                                 const Context& context, int flags) {
  return Start(core(), context, &PrepareSendMsg, fd, message, flags);
}

RingTask RingOperations::SendZeroCopy(int fd, std::span<const std::byte> buffer,
                                      const Context& context, int flags) {
  return StartMultishot(core(), context, &PrepareSendZeroCopy, fd, buffer,
                        flags);
}

RingTask RingOperations::SendMsgZeroCopy(int fd, const msghdr& message,
                                         const Context& context, int flags) {
  return StartMultishot(core(), context, &PrepareSendMsgZeroCopy, fd, message,
                        flags);
}

// --- Files and directories

RingTask RingOperations::OpenAt(int directory, const char* path, int flags,
                                mode_t mode, const Context& context) {
  return Start(core(), context, &PrepareOpenAt, directory, path, flags, mode);
}

RingTask RingOperations::Statx(int directory, const char* path, int flags,
                               unsigned mask, struct statx* out,
                               const Context& context) {
  return Start(core(), context, &PrepareStatx, directory, path, flags, mask,
               out);
}

RingTask RingOperations::Lstat(const char* path, struct statx* out,
                               const Context& context) {
  return Start(core(), context, &PrepareLstat, path, out);
}

RingTask RingOperations::Fsync(int fd, const Context& context) {
  return Start(core(), context, &PrepareFsync, fd);
}

RingTask RingOperations::Fdatasync(int fd, const Context& context) {
  return Start(core(), context, &PrepareFdatasync, fd);
}

RingTask RingOperations::SyncFileRange(int fd, int64_t offset, uint32_t n_bytes,
                                       unsigned flags, const Context& context) {
  return Start(core(), context, &PrepareSyncFileRange, fd, offset, n_bytes,
               flags);
}

RingTask RingOperations::Fallocate(int fd, int mode, int64_t offset,
                                   int64_t n_bytes, const Context& context) {
  return Start(core(), context, &PrepareFallocate, fd, mode, offset, n_bytes);
}

RingTask RingOperations::Truncate(int fd, int64_t n_bytes,
                                  const Context& context) {
  return Start(core(), context, &PrepareTruncate, fd, n_bytes);
}

RingTask RingOperations::Rename(int old_directory, const char* old_path,
                                int new_directory, const char* new_path,
                                const Context& context, unsigned flags) {
  return Start(core(), context, &PrepareRename, old_directory, old_path,
               new_directory, new_path, flags);
}

RingTask RingOperations::Unlink(int directory, const char* path,
                                const Context& context) {
  return Start(core(), context, &PrepareUnlink, directory, path);
}

RingTask RingOperations::Rmdir(int directory, const char* path,
                               const Context& context) {
  return Start(core(), context, &PrepareRmdir, directory, path);
}

RingTask RingOperations::Mkdir(int directory, const char* path, mode_t mode,
                               const Context& context) {
  return Start(core(), context, &PrepareMkdir, directory, path, mode);
}

RingTask RingOperations::Link(int old_directory, const char* old_path,
                              int new_directory, const char* new_path,
                              const Context& context, int flags) {
  return Start(core(), context, &PrepareLink, old_directory, old_path,
               new_directory, new_path, flags);
}

RingTask RingOperations::Symlink(const char* target, int directory,
                                 const char* path, const Context& context) {
  return Start(core(), context, &PrepareSymlink, target, directory, path);
}

// --- Processes and devices

RingTask RingOperations::WaitPid(int pidfd, siginfo_t* info,
                                 const Context& context) {
  return Start(core(), context, &PrepareWaitPid, pidfd, info);
}

RingTask RingOperations::UringCommand(int fd, uint32_t command,
                                      std::span<const std::byte> arguments,
                                      const Context& context) {
  return Start(core(), context, &PrepareUringCommand, fd, command, arguments);
}

}  // namespace ringway
