// SPDX-License-Identifier: Apache-2.0
//
// File: an open file of one loop. Move-only; closes itself.
//
//   absl::StatusOr<fs::File> file = co_await fs::File::Open(path);
//   absl::StatusOr<size_t> n = co_await file->ReadAt(buffer, offset);
//
// Any number of tasks may read and write at the same time; what they do at the
// same bytes, or at the file's position, has no order. What the page cache has
// of a read at an offset of at most 1 MiB (on epoll 64 KiB) is read at once, by
// a system call: that is a third cheaper than to go through the ring.
// Everything else goes through it, what is longer than 1 MiB to a thread of the
// kernel's, so that its copying does not hold up the loop; on epoll what need
// not wait is done at once, and a helper thread waits for the rest. No socket
// waits for a disk.

#ifndef RINGWAY_FS_FILE_H_
#define RINGWAY_FS_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/executor/task/task.h"
#include "ringway/executor/task/wait.h"
#include "ringway/fs/file_core.h"
#include "ringway/fs/file_info.h"
#include "ringway/fs/file_lock.h"
#include "ringway/fs/file_ops.h"
#include "ringway/fs/open_options.h"
#include "ringway/fs/opening_await.h"

namespace ringway::fs {

class File;
namespace internal {
class OpenBeneathOp;
}

// Opens a file: File::Open().
class [[nodiscard]] OpenOp : public internal::OpeningAwait {
 public:
  OpenOp(int directory, std::string path, const OpenOptions& options);
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    if (has_nul_) return leaf.promise().task().SkipWait(leaf);
    return OpeningAwait::await_suspend(leaf);
  }
  absl::StatusOr<File> await_resume();

 private:
  static std::string Describe(const Suspension& suspension);

  const std::string path_;
  const bool has_nul_;
};

// Closes a file: File::Close().
class [[nodiscard]] CloseOp : public ringway::internal::Wait<CloseOp>,
                              private internal::FileCore::Closer {
 public:
  explicit CloseOp(std::unique_ptr<internal::FileCore> core);
  CloseOp(const CloseOp&) = delete;
  CloseOp& operator=(const CloseOp&) = delete;
  ~CloseOp();
  absl::Status await_resume() const;

 private:
  friend class ringway::internal::Wait<CloseOp>;
  using WaitEnd = ringway::internal::WaitEnd;

  WaitEnd Admit();
  WaitEnd Begin();
  bool Leave();
  static void OnClosed(Closer& closer, int32_t result);

  std::unique_ptr<internal::FileCore> core_;  // until the close begins
  internal::FileCore* closing_ = nullptr;     // while it is in progress
  const Unusable unusable_;
  const std::string path_;
  int32_t result_ = 0;
};

// May outlive its loop, whose end closes it (executor/loop/loop_dependent.h).
//
// Threads: the loop's only (checked), except for moving it.
class File {
 public:
  // Opens `path` on the loop of the calling task.
  //
  // Errors:       any errno of openat(2), naming the path: ENOENT, EACCES,
  //               ENAMETOOLONG, ELOOP, EISDIR, EMFILE; InvalidArgument for a
  //               path with a NUL byte; ResourceExhausted without memory;
  //               Cancelled.
  // Ownership:    the path is copied.
  // Cancellation: two-phase; if it was opened first, it is the result.
  // Cost:         an allocation for the path and one for the file.
  static OpenOp Open(std::string path,
                     const OpenOptions& options = OpenOptions());

  // Takes over an open file. `name` is for messages; empty: "fd 7".
  static File Adopt(Loop& loop, UniqueFd fd, std::string name = "");

  File(File&& other) noexcept = default;
  File& operator=(File&& other) noexcept;
  // Closes it later, without waiting: what a close would report is lost.
  ~File();

  // --- Reading and writing.
  //
  // At an offset in bytes, which is not negative, or at the file's position,
  // which moves on. A call transfers up to 0x7ffff000 bytes at once; those
  // that go on until everything is done make as many as it takes.
  //
  // Errors:       the errno of pread(2) or pwrite(2), naming file and offset:
  //               EBADF (not open for it), EISDIR, EIO, ENOSPC, EFBIG;
  //               FailedPrecondition once it is closed; Cancelled.
  // Ownership:    buffers must outlive the await.
  // Cancellation: an operation that a disk has begun ends by itself; then its
  //               result is kept. Of several a part may have been done.
  // Cost:         no allocation.

  // Reads what there is, at least a byte: fewer than the buffer holds only
  // before the end of the file, or if a signal interrupts; 0 at the end.
  internal::ReadTransfer<internal::Until::kOnce> ReadAt(
      std::span<std::byte> buffer, int64_t offset);
  internal::ReadTransfer<internal::Until::kOnce> Read(
      std::span<std::byte> buffer);
  // Fills the buffer. OutOfRange, with the number of missing bytes, if the file
  // ends before.
  internal::ReadTransfer<internal::Until::kAll> ReadExactlyAt(
      std::span<std::byte> buffer, int64_t offset);
  internal::ReadTransfer<internal::Until::kAll> ReadExactly(
      std::span<std::byte> buffer);
  // Writes a part, at least a byte of what is not empty.
  internal::WriteTransfer<internal::Until::kOnce> WriteAt(
      std::span<const std::byte> bytes, int64_t offset);
  internal::WriteTransfer<internal::Until::kOnce> Write(
      std::span<const std::byte> bytes);
  // Writes everything; it ends when the page cache has it. The offset of an
  // error is where what is missing begins.
  internal::WriteTransfer<internal::Until::kAll> WriteAllAt(
      std::span<const std::byte> bytes, int64_t offset);
  internal::WriteTransfer<internal::Until::kAll> WriteAll(
      std::span<const std::byte> bytes);

  // The same for several buffers, any number; empty ones among them do no harm.
  // An operation takes 16 of them. The array must outlive the await, too.
  internal::ReadTransfer<internal::Until::kOnce, true> ReadvAt(
      std::span<const std::span<std::byte>> buffers, int64_t offset);
  internal::ReadTransfer<internal::Until::kAll, true> ReadvExactlyAt(
      std::span<const std::span<std::byte>> buffers, int64_t offset);
  internal::WriteTransfer<internal::Until::kAll, true> WritevAllAt(
      std::span<const std::span<const std::byte>> parts, int64_t offset);
  internal::WriteTransfer<internal::Until::kAll, true> WritevAll(
      std::span<const std::span<const std::byte>> parts);

  // --- Durability.

  // What has been written, and what is known of the file, survives a crash of
  // the machine; SyncData() leaves out what reading does not need, such as
  // times. A new file's name is durable only when its directory was synced, too
  // (Directory::Sync()).
  //
  // Errors: EIO, ENOSPC, EDQUOT: something that was written is lost. The kernel
  //         says so once and forgets it, so from then on every sync of this
  //         File returns that error: write the file anew.
  SyncOp Sync() { return SyncOp(core_.get(), /*data_only=*/false); }
  SyncOp SyncData() { return SyncOp(core_.get(), /*data_only=*/true); }

  // --- The file itself.

  // Cuts the file off, or extends it by zeros, to `n_bytes`.
  TruncateOp Truncate(int64_t n_bytes) {
    return TruncateOp(core_.get(), n_bytes);
  }
  // fallocate(2): reserves, frees or zeroes the range. `mode`: 0, or
  // FALLOC_FL_* flags.
  AllocateOp Allocate(int64_t offset, int64_t n_bytes, int mode = 0) {
    return AllocateOp(core_.get(), mode, offset, n_bytes);
  }
  StatOp Stat() { return StatOp(core_.get()); }
  // The lower twelve bits of the mode, as they are given: no umask.
  SetFilePermissionsOp SetPermissions(mode_t permissions) {
    return SetFilePermissionsOp(core_.get(), permissions);
  }
  // An id of -1 stays as it is. EPERM without the privilege to give files away.
  SetFileOwnerOp SetOwner(uid_t uid, gid_t gid) {
    return SetFileOwnerOp(core_.get(), uid, gid);
  }
  SetFileTimesOp SetTimes(const FileTimes& times) {
    return SetFileTimesOp(core_.get(), times);
  }
  // How `n_bytes` from `offset` on (0: to the end; at most 4 GiB) will be used:
  // POSIX_FADV_WILLNEED reads ahead, POSIX_FADV_DONTNEED gives the page cache
  // back.
  AdviseOp Advise(int64_t offset, int64_t n_bytes, int advice) {
    return AdviseOp(core_.get(), offset, n_bytes, advice);
  }

  // --- Locks, of `n_bytes` from `offset` on (0: to the end, wherever that will
  // be), against other Files of any process: they belong to what Open() made
  // (F_OFD_SETLK in fcntl(2)) and end with Unlock() or the close. Advisory:
  // only lockers heed them. Locking anew changes the kind.
  //
  // Errors: EBADF (a shared lock needs a file open for reading, an exclusive
  //         one for writing), ENOLCK.

  // True if it has the lock now, false if others hold it.
  TryLockOp TryLock(LockKind kind, int64_t offset = 0, int64_t n_bytes = 0) {
    return TryLockOp(core_.get(), kind, offset, n_bytes);
  }
  UnlockOp Unlock(int64_t offset = 0, int64_t n_bytes = 0) {
    return UnlockOp(core_.get(), offset, n_bytes);
  }
  // Waits for the lock: tries again, at first after a millisecond, later every
  // 50 ms, because a lock that waits in the kernel could not be cancelled. So
  // there is no order among those who wait.
  Task<absl::Status> Lock(LockKind kind, int64_t offset = 0,
                          int64_t n_bytes = 0) {
    return internal::WaitForLock(core_.get(), kind, offset, n_bytes);
  }

  // Closes it and reports what the file system says at that time: EIO, ENOSPC,
  // EDQUOT, of network file systems above all. Waits for operations in flight.
  // The handle is empty at once.
  //
  // Cancellation: ends the wait; the file is closed all the same.
  CloseOp Close() { return CloseOp(std::move(core_)); }

  // The fd, for calls of one's own; -1 once it is closed.
  int fd() const;
  // As it was opened.
  const std::string& path() const;

 private:
  friend class DirectFile;
  friend class NvmeDevice;
  friend class OpenOp;
  friend class internal::OpenBeneathOp;
  friend class Directory;
  friend class DirectoryReader;
  friend class Watcher;
  explicit File(std::unique_ptr<internal::FileCore> core)
      : core_(std::move(core)) {}

  std::unique_ptr<internal::FileCore> core_;
};

}  // namespace ringway::fs

#endif  // RINGWAY_FS_FILE_H_
