// SPDX-License-Identifier: Apache-2.0
//
// The Prepare functions, one per opcode. Each fills in an idle or done
// operation.
//
// They check nothing: the operation's result is that of the system call of
// the same name, including the errno for bad arguments. Memory passed by
// pointer - buffers, paths, addresses, vectors - must stay valid until the
// operation is done, also after a cancel.

#ifndef RINGWAY_BACKENDS_PREPARE_H_
#define RINGWAY_BACKENDS_PREPARE_H_

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "ringway/backends/operation.h"

struct open_how;  // <linux/openat2.h>
struct statfs;    // <sys/vfs.h>

namespace ringway {

// As an offset: the file's own position, which the transfer advances. The
// only valid offset for sockets and pipes.
inline constexpr int64_t kCurrentPosition = -1;

// Operation::flags of kRead and kWrite: the file was opened with O_DIRECT. On
// io_uring the completion may be polled for (UringOptions::direct_polling); on
// epoll a helper thread waits at once, because a call that is not to block
// waits for the device all the same (Linux 6.18).
inline constexpr uint32_t kDirectIo = 1;
// With kDirectIo: -EOPNOTSUPP if the device cannot be polled, so that the
// caller decides for each of its devices. No effect on a backend that never
// polls (BackendInfo::polls_direct_io).
inline constexpr uint32_t kMustPoll = 2;
// With kDirectIo: the completion is not polled for.
inline constexpr uint32_t kNeverPoll = 4;

// Operation::flags of kRead, kReadv, kWrite and kWritev: a transfer of more
// than a MiB may be carried out by another thread. On io_uring what the page
// cache has is otherwise copied on the loop's, in one piece: about 150 us for
// each MiB. The fd is then looked up later, so it must stay open until the end.
inline constexpr uint32_t kElsewhereIfLong = 8;

// Operation::flags of kFsync.
inline constexpr uint32_t kFsyncDataOnly = 1;  // IORING_FSYNC_DATASYNC

void PrepareNop(Operation& op);

// --- Any fd.

// `offset` in bytes, or kCurrentPosition. At most 0x7ffff000 bytes are
// transferred. `flags` is 0, kElsewhereIfLong, or kDirectIo alone or with one
// of the other two.
void PrepareRead(Operation& op, int fd, std::span<std::byte> buffer,
                 int64_t offset, uint32_t flags = 0);
void PrepareWrite(Operation& op, int fd, std::span<const std::byte> buffer,
                  int64_t offset, uint32_t flags = 0);
// More than IOV_MAX vectors are EINVAL. `flags` is 0 or kElsewhereIfLong.
void PrepareReadv(Operation& op, int fd, std::span<const iovec> buffers,
                  int64_t offset, uint32_t flags = 0);
void PrepareWritev(Operation& op, int fd, std::span<const iovec> buffers,
                   int64_t offset, uint32_t flags = 0);

// The result is 0 or -errno; the fd is closed in either case. Operations that
// look up the fd again later must have ended before: sendfile, zero-copy
// sends, splice, shutdown, fsync, fallocate, truncate, multishots, and what is
// emulated (docs/backends.md).
void PrepareClose(Operation& op, int fd);

// Waits once for `events` (POLLIN, POLLOUT, ...); the result is the mask of
// ready events.
void PreparePoll(Operation& op, int fd, uint32_t events);
// Delivers the mask of ready events now, if there are any, and whenever one
// becomes ready again. Drain the fd before waiting for the next delivery.
void PreparePollMultishot(DeliveringOperation& op, int fd, uint32_t events);

// Moves up to `n_bytes` from one fd to the other, one of which is a pipe,
// without a copy. Offsets as for splice(2): kCurrentPosition for a pipe.
void PrepareSplice(Operation& op, int from, int64_t from_offset, int to,
                   int64_t to_offset, size_t n_bytes, unsigned flags = 0);

// Sends up to `n_bytes` of the file `from`, starting at `offset`, to the stream
// socket `to`. The result is what the socket has accepted, at least one byte
// unless the file ends at `offset`. `flags` are those of send(2), for backends
// that send what they have read; without MSG_WAITALL, which a socket with
// kernel TLS refuses, such a send may be short.
void PrepareSendFile(Operation& op, int to, int from, int64_t offset,
                     size_t n_bytes, int flags = MSG_WAITALL);

// --- Sockets. New fds are CLOEXEC.

void PrepareSocket(Operation& op, int domain, int type, int protocol);
void PrepareBind(Operation& op, int fd, const sockaddr* address,
                 socklen_t length);
void PrepareListen(Operation& op, int fd, int backlog);

// `address` and `length` may be null.
void PrepareAccept(Operation& op, int fd, sockaddr* address, socklen_t* length);
// Delivers accepted fds; getpeername(2) returns their addresses.
void PrepareAcceptMultishot(DeliveringOperation& op, int fd);

void PrepareConnect(Operation& op, int fd, const sockaddr* address,
                    socklen_t length);
void PrepareShutdown(Operation& op, int fd, int how);

void PrepareRecv(Operation& op, int fd, std::span<std::byte> buffer,
                 int flags = 0);
void PrepareRecvMsg(Operation& op, int fd, msghdr& message, int flags = 0);
// Receives a byte stream into the backend's receive buffers, one delivery per
// receive. Ends with 0 at the end of the stream. For sockets that keep message
// boundaries use PrepareRecvMsgMultishot(): here a message is cut where a
// shared buffer ends.
void PrepareRecvMultishot(DeliveringOperation& op, int fd);
// The same for messages: each delivery is one message, with its source
// address, control data and flags; ReadDatagram() (datagram.h) parses it.
// msg_namelen and msg_controllen of `message` set the room for these; its
// pointers are ignored. Ends with 0 at the end of a stream, or of
// SOCK_SEQPACKET, for which an empty packet counts as the end.
void PrepareRecvMsgMultishot(DeliveringOperation& op, int fd, msghdr& message,
                             int flags = 0);

// Gives a prepared operation another buffer. It may have been passed to
// Loop::Start(), which queues it for the end of the turn, but must not be in
// flight (checked).
void ReplaceBuffer(Operation& op, std::span<const std::byte> buffer);

// MSG_NOSIGNAL is always added: a closed peer is an error, never a signal. A
// Unix datagram whose receiver has no room must have MSG_DONTWAIT, and is
// -EAGAIN: on io_uring the kernel's next attempt sends it empty (measured on
// Linux 6.18), and others have no event for room at a receiver that the socket
// is not connected to. Sequenced packets may wait: the kernel has read nothing
// of them by then. But several that wait at a time are sent in any order.
void PrepareSend(Operation& op, int fd, std::span<const std::byte> buffer,
                 int flags = 0);
void PrepareSendMsg(Operation& op, int fd, const msghdr& message,
                    int flags = 0);
// Deliver the number of bytes accepted, unless there was an error, and end,
// with 0 or -errno, when the kernel no longer refers to the memory; do not
// change or free it before. Over a network that is when the peer has
// acknowledged the bytes. If memory cannot be pinned (RLIMIT_MEMLOCK), it is
// copied.
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
// STATX_BASIC_STATS, of the link itself if `path` is a symbolic link.
void PrepareLstat(Operation& op, const char* path, struct statx* out);
void PrepareFsync(Operation& op, int fd);
// Omits metadata that is not needed to read the data back.
void PrepareFdatasync(Operation& op, int fd);
// Starts, or waits for, writing pages from `offset` on; 0 bytes: to the end
// of the file. `flags` as for sync_file_range(2). This does not make data
// durable (see there); it bounds the work of a later fsync.
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
// As PrepareOpenAt(), with RESOLVE_* flags, which confine what is opened to
// `directory`; O_CLOEXEC is added to `how`. ENOSYS before Linux 5.6; EAGAIN if
// names above a ".." of the path were changed meanwhile: try again.
void PrepareOpenAt2(Operation& op, int directory, const char* path,
                    open_how& how);
// The result is the length of the target, cut off at that of `target`, without
// a NUL.
void PrepareReadLink(Operation& op, int directory, const char* path,
                     std::span<char> target);
// Reads the next entries of a directory, as getdents64(2) has them; the result
// is their bytes, 0 at the end. EINVAL if `entries` has no room for one.
void PrepareGetDents(Operation& op, int fd, std::span<std::byte> entries);
// lseek(2), also with SEEK_DATA and SEEK_HOLE. The result is 0 or -errno; the
// new position is in `*position`.
void PrepareSeek(Operation& op, int fd, int64_t offset, int whence,
                 int64_t* position);
// Copies up to `n_bytes` from one file to another; the result is their number,
// 0 at the end of the file. Offsets as for reads and writes.
void PrepareCopyFileRange(Operation& op, int from, int64_t from_offset, int to,
                          int64_t to_offset, size_t n_bytes);
// `advice`: POSIX_FADV_*, of `n_bytes` from `offset` on; 0: to the end.
void PrepareFadvise(Operation& op, int fd, int64_t offset, uint32_t n_bytes,
                    int advice);
// A lock of the open file description (F_OFD_SETLK), of `n_bytes` from `offset`
// on; 0: to the end of the file, wherever that will be. `type`: F_RDLCK,
// F_WRLCK or F_UNLCK. EAGAIN if others hold one that is in conflict; there is
// no form that waits for them, because it could not be cancelled.
void PrepareLock(Operation& op, int fd, int type, int64_t offset,
                 int64_t n_bytes);
// The attributes of `path`, or of `directory` itself for AT_EMPTY_PATH and "".
void PrepareChmod(Operation& op, int directory, const char* path, mode_t mode,
                  int flags = 0);
// An id of -1 stays.
void PrepareChown(Operation& op, int directory, const char* path, uid_t uid,
                  gid_t gid, int flags = 0);
// `times`: of access and modification; UTIME_NOW and UTIME_OMIT as for
// utimensat(2).
void PrepareSetTimes(Operation& op, int directory, const char* path,
                     const std::array<timespec, 2>& times, int flags = 0);
// `mode`: F_OK, or R_OK, W_OK and X_OK. `flags` as for faccessat(2).
void PrepareAccess(Operation& op, int directory, const char* path, int mode,
                   int flags = 0);
// The file system that `path` is on.
void PrepareStatFs(Operation& op, const char* path, struct statfs* out);
// The absolute path without links of what `path` is. The result is its length,
// without a NUL; ENAMETOOLONG if `resolved` has no room for it.
void PrepareRealPath(Operation& op, const char* path, std::span<char> resolved);

// --- Watching files (inotify). Not in the simulator: EOPNOTSUPP.

// IN_CLOEXEC is always added to `flags`. The result is the new fd, of which
// reads return events (inotify(7)).
void PrepareMakeWatcher(Operation& op, int flags = 0);
// The result is the number of the watch.
void PrepareAddWatch(Operation& op, int watcher, const char* path,
                     uint32_t mask);
void PrepareRemoveWatch(Operation& op, int watcher, int watch);

// --- Processes and devices.

// Waits for the process of `pidfd` to end and reaps it. `info`, which may be
// null, receives its exit status. The result is 0 or -errno.
void PrepareWaitPid(Operation& op, int pidfd, siginfo_t* info);

// Passes `command` (IORING_OP_URING_CMD) to the driver of `fd`, with up to 16
// bytes of arguments, or 80 with UringOptions::large_entries; more are
// -EINVAL. -EOPNOTSUPP on backends other than io_uring.
void PrepareUringCommand(Operation& op, int fd, uint32_t command,
                         std::span<const std::byte> arguments = {});

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_PREPARE_H_
