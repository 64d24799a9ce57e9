// SPDX-License-Identifier: Apache-2.0
//
// The Prepare functions: one per thing an Operation can do. Each fills in an
// idle or done operation.
//
// They check nothing: bad arguments come back as the errno of the system call
// of the same name, and so do results. What is handed over by pointer -
// buffers, paths, addresses, vectors - must stay valid until the operation is
// done, also after a cancel.

#ifndef RINGWAY_BACKENDS_PREPARE_H_
#define RINGWAY_BACKENDS_PREPARE_H_

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "ringway/backends/operation.h"

namespace ringway {

// As an offset: the file's own position, which the transfer moves. The only
// offset for what has no position: sockets, pipes.
inline constexpr int64_t kCurrentPosition = -1;

// Operation::flags of kRead and kWrite: the file was opened with O_DIRECT, so
// the completion may be polled for (UringOptions::direct_polling).
inline constexpr uint32_t kDirectIo = 1;

// Operation::flags of kFsync.
inline constexpr uint32_t kFsyncDataOnly = 1;  // IORING_FSYNC_DATASYNC

void PrepareNop(Operation& op);

// --- Any fd.

// `offset` in bytes, or kCurrentPosition. At most 0x7ffff000 bytes are
// transferred. `flags` is 0 or kDirectIo.
void PrepareRead(Operation& op, int fd, std::span<std::byte> buffer,
                 int64_t offset, uint32_t flags = 0);
void PrepareWrite(Operation& op, int fd, std::span<const std::byte> buffer,
                  int64_t offset, uint32_t flags = 0);
// More than IOV_MAX vectors are EINVAL.
void PrepareReadv(Operation& op, int fd, std::span<const iovec> buffers,
                  int64_t offset);
void PrepareWritev(Operation& op, int fd, std::span<const iovec> buffers,
                   int64_t offset);

// The result is 0 or -errno; the fd is gone in either case. What was started on
// it before must have ended if it looks the fd up again later: sendfile,
// zero-copy sends, splice, shutdown, fsync, fallocate, truncate, multishots.
void PrepareClose(Operation& op, int fd);

// Waits once for `events` (POLLIN, POLLOUT, ...); the result is the mask that
// became ready.
void PreparePoll(Operation& op, int fd, uint32_t events);
// Delivers the mask now, if anything is ready, and whenever something becomes
// ready again: use up what is there, then wait for the next delivery.
void PreparePollMultishot(DeliveringOperation& op, int fd, uint32_t events);

// Moves up to `n_bytes` from one fd to the other, one of which is a pipe,
// without a copy. Offsets as for splice(2): kCurrentPosition for a pipe.
void PrepareSplice(Operation& op, int from, int64_t from_offset, int to,
                   int64_t to_offset, size_t n_bytes, unsigned flags = 0);

// Sends up to `n_bytes` of the file `from`, starting at `offset`, to the stream
// socket `to`. The result is what the socket has accepted, at least one byte
// unless the file ends at `offset`.
void PrepareSendFile(Operation& op, int to, int from, int64_t offset,
                     size_t n_bytes);

// --- Sockets. Fds that are made are CLOEXEC.

void PrepareSocket(Operation& op, int domain, int type, int protocol);
void PrepareBind(Operation& op, int fd, const sockaddr* address,
                 socklen_t length);
void PrepareListen(Operation& op, int fd, int backlog);

// `address` and `length` may be null.
void PrepareAccept(Operation& op, int fd, sockaddr* address, socklen_t* length);
// Delivers accepted fds; getpeername(2) has their addresses.
void PrepareAcceptMultishot(DeliveringOperation& op, int fd);

void PrepareConnect(Operation& op, int fd, const sockaddr* address,
                    socklen_t length);
void PrepareShutdown(Operation& op, int fd, int how);

void PrepareRecv(Operation& op, int fd, std::span<std::byte> buffer,
                 int flags = 0);
void PrepareRecvMsg(Operation& op, int fd, msghdr& message, int flags = 0);
// Receives into the backend's provided buffers, one event per receive. Ends
// with 0 at the end of the stream.
void PrepareRecvMultishot(DeliveringOperation& op, int fd);
// The same for messages: each event is one, with its source address, control
// data and flags; ReadDatagram() (datagram.h) takes it apart. `message` says
// how much room to leave for these: its msg_namelen and msg_controllen count,
// its pointers do not. Ends with 0 at the end of a stream, or of
// SOCK_SEQPACKET, where an empty packet looks like the end and counts as it.
void PrepareRecvMsgMultishot(DeliveringOperation& op, int fd, msghdr& message,
                             int flags = 0);

// MSG_NOSIGNAL is always added: a closed peer is an error, never a signal.
void PrepareSend(Operation& op, int fd, std::span<const std::byte> buffer,
                 int flags = 0);
void PrepareSendMsg(Operation& op, int fd, const msghdr& message,
                    int flags = 0);
// Deliver the number of bytes accepted, unless there was an error, and end,
// with 0 or -errno, when the kernel no longer refers to the memory, which must
// not be changed or freed before: over a network that is when the peer has
// acknowledged it. Where memory cannot be pinned (RLIMIT_MEMLOCK) it is copied.
void PrepareSendZeroCopy(DeliveringOperation& op, int fd,
                         std::span<const std::byte> buffer, int flags = 0);
void PrepareSendMsgZeroCopy(DeliveringOperation& op, int fd,
                            const msghdr& message, int flags = 0);

// --- Files and directories. `directory` is an fd or AT_FDCWD.

// O_CLOEXEC is always added. The result is the new fd.
void PrepareOpenAt(Operation& op, int directory, const char* path, int flags,
                   mode_t mode = 0);
void PrepareStatx(Operation& op, int directory, const char* path, int flags,
                  unsigned mask, struct statx* out);
// Of the link itself, if it is one: STATX_BASIC_STATS.
void PrepareLstat(Operation& op, const char* path, struct statx* out);
void PrepareFsync(Operation& op, int fd);
// Leaves out metadata that reading the data back does not need.
void PrepareFdatasync(Operation& op, int fd);
// Starts, or waits for, the writing of pages from `offset` on; 0 bytes: to the
// end of the file. `flags` as for sync_file_range(2), which tells why this
// makes nothing safe by itself: it bounds how much a later fsync has left to
// do.
void PrepareSyncFileRange(Operation& op, int fd, int64_t offset,
                          uint32_t n_bytes, unsigned flags);
void PrepareFallocate(Operation& op, int fd, int mode, int64_t offset,
                      int64_t n_bytes);
void PrepareTruncate(Operation& op, int fd, int64_t n_bytes);
// `flags` as for renameat2(2).
void PrepareRename(Operation& op, int old_directory, const char* old_path,
                   int new_directory, const char* new_path, unsigned flags = 0);
void PrepareUnlink(Operation& op, int directory, const char* path);
void PrepareRmdir(Operation& op, int directory, const char* path);
void PrepareMkdir(Operation& op, int directory, const char* path, mode_t mode);
void PrepareLink(Operation& op, int old_directory, const char* old_path,
                 int new_directory, const char* new_path, int flags = 0);
void PrepareSymlink(Operation& op, const char* target, int directory,
                    const char* path);

// --- Processes and devices.

// Waits for the process behind `pidfd` to end and reaps it; `info`, which may
// be null, says how it ended. The result is 0 or -errno.
void PrepareWaitPid(Operation& op, int pidfd, siginfo_t* info);

// Passes `command` (IORING_OP_URING_CMD) to the driver of `fd`, with up to 16
// bytes of arguments, or 80 where UringOptions::large_entries is set; more are
// -EINVAL. -EOPNOTSUPP on backends other than io_uring.
void PrepareUringCommand(Operation& op, int fd, uint32_t command,
                         std::span<const std::byte> arguments = {});

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_PREPARE_H_
