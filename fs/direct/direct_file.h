// SPDX-License-Identifier: Apache-2.0
//
// DirectFile: an open file of one loop whose reads and writes go past the page
// cache (O_DIRECT). Move-only; closes itself.
//
//   absl::StatusOr<fs::DirectFile> file = co_await fs::DirectFile::Open(path);
//   absl::StatusOr<fs::AlignedBuffer> block =
//       fs::AlignedBuffer::Create(64 * 1024, file->alignment().memory);
//   absl::StatusOr<size_t> n = co_await file->ReadAt(block->bytes(), offset);
//
// For what has a cache of its own, or is read once. Memory, offsets and lengths
// must be aligned: alignment() says to what, and what is not is refused before
// the kernel sees it. Where that does not fit, use File, or ReadRangeAt().

#ifndef RINGWAY_FS_DIRECT_DIRECT_FILE_H_
#define RINGWAY_FS_DIRECT_DIRECT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/executor/task/executor.h"
#include "ringway/fs/direct/aligned_buffer_pool.h"
#include "ringway/fs/direct/direct_core.h"
#include "ringway/fs/direct/direct_ops.h"
#include "ringway/fs/direct/direct_options.h"
#include "ringway/fs/file.h"

namespace ringway::fs {

// May outlive its loop, whose end closes it (executor/loop/loop_dependent.h).
//
// Threads: the loop's only (checked), except for moving it.
class DirectFile {
 public:
  // Opens `path` on the loop of the calling task and finds out what it must be
  // aligned to: from statx, or by a few reads where that does not say.
  //
  // Errors:       those of File::Open(); InvalidArgument naming the option;
  //               FailedPrecondition, naming the path, if direct I/O is
  //               required and the file system refuses O_DIRECT, ignores it
  //               (tmpfs), or does not tell and the file is empty; or if
  //               polling is required and the backend does not poll.
  // Cancellation: two-phase; a file that was opened is closed.
  // Cost:         some allocations, two or more operations.
  static Task<absl::StatusOr<DirectFile>> Open(
      std::string path, DirectFileOptions options = DirectFileOptions());

  DirectFile(DirectFile&&) noexcept = default;
  DirectFile& operator=(DirectFile&& other) noexcept;
  // Closes it later, without waiting: what a close would report is lost.
  ~DirectFile();

  // --- Reading and writing, at an offset in bytes, which is not negative
  // (checked). More than 0x7ffff000 bytes take several operations.
  //
  // Errors:       InvalidArgument for misaligned memory, offset or length,
  //               naming it and the alignment, without an operation; the errno
  //               of pread(2) or pwrite(2), naming file and offset: EBADF, EIO,
  //               ENOSPC, EFBIG; FailedPrecondition once it is closed, or if
  //               polling is required and the device refuses; Cancelled.
  // Ownership:    the memory must outlive the await.
  // Cancellation: one that waits in the queue takes no part; what a disk has
  //               begun ends by itself, and its result is kept. Of several
  //               operations a part may have been done.
  // Cost:         no allocation.

  // Fills the buffer. Result: fewer bytes only at the end of the file, in whose
  // last block what follows is unspecified; 0 at the end.
  DirectReadOp ReadAt(std::span<std::byte> buffer, int64_t offset);
  // Writes everything. It is not durable before Sync().
  DirectWriteOp WriteAt(std::span<const std::byte> bytes, int64_t offset);

  // Reads any range into any memory: reads what covers it into buffers of
  // `pool`, one after the other, and copies. The result is as that of ReadAt().
  //
  // Errors:    also InvalidArgument if the pool's buffers are less aligned than
  //            alignment(), or no multiple of it.
  // Ownership: the file, the memory and the pool must outlive the task.
  // Cost:      no allocation once such a task has run before.
  Task<absl::StatusOr<size_t>> ReadRangeAt(std::span<std::byte> bytes,
                                           int64_t offset,
                                           AlignedBufferPool& pool);

  // --- As in File. Direct writes need a Sync(), too: for the file's size and
  // extents, and for the cache of the device.
  SyncOp Sync() { return SyncOp(core_.get(), /*data_only=*/false); }
  SyncOp SyncData() { return SyncOp(core_.get(), /*data_only=*/true); }
  TruncateOp Truncate(int64_t n_bytes) {
    return TruncateOp(core_.get(), n_bytes);
  }
  StatOp Stat() { return StatOp(core_.get()); }
  CloseOp Close() { return CloseOp(std::move(core_)); }

  // What memory, offsets and lengths must be multiples of. Of a closed file, as
  // the two below: nothing.
  DirectAlignment alignment() const;
  DirectFileStats stats() const;
  // As it was opened.
  const std::string& path() const;

 private:
  explicit DirectFile(std::unique_ptr<internal::DirectCore> core)
      : core_(std::move(core)) {}

  std::unique_ptr<internal::DirectCore> core_;
};

}  // namespace ringway::fs

#endif  // RINGWAY_FS_DIRECT_DIRECT_FILE_H_
