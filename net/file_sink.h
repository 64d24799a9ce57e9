// SPDX-License-Identifier: Apache-2.0
//
// FileSink: a file as something to write to, for code that is written against
// ByteSink (stream_concepts.h).
//
//   absl::StatusOr<uint64_t> n_bytes =
//       co_await net::Forward(stream.reader(), net::FileSink(file));

#ifndef RINGWAY_NET_FILE_SINK_H_
#define RINGWAY_NET_FILE_SINK_H_

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "ringway/core/check.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/net/writing/part_cursor.h"

namespace ringway::net {

class FileSink;

class [[nodiscard]] FileWriteOp : public OperationAwait {
 public:
  FileWriteOp(FileSink& sink, std::span<const std::byte> bytes);
  FileWriteOp(FileSink& sink,
              std::span<const std::span<const std::byte>> parts);
  bool await_ready() const noexcept { return left_.empty(); }
  absl::Status await_resume() const;

 private:
  static void OnDone(Runnable& entry);
  void Prepare();

  FileSink& sink_;
  const std::span<const std::byte> own_part_;
  internal::PartCursor<std::span<const std::byte>> left_;
};

class [[nodiscard]] FileEndOp {
 public:
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  absl::Status await_resume() const { return absl::OkStatus(); }
};

// Writes at an offset that moves on with what is written. `file`, an fd that is
// open for writing, stays the caller's and must stay open. With O_APPEND the
// kernel ignores the offset.
//
// Threads: one loop's only.
class FileSink {
 public:
  // `offset` in bytes, not negative (checked).
  explicit FileSink(int file, int64_t offset = 0)
      : file_(file), offset_(offset) {
    RINGWAY_CHECK(offset >= 0, "a FileSink at offset %lld",
                  static_cast<long long>(offset));
  }

  // Writes all of `bytes`; completes when the page cache has them.
  //
  // Errors:       any errno of pwrite(2), with the offset where it happened:
  //               EBADF, ENOSPC, EFBIG, EIO; Cancelled.
  // Ownership:    `bytes` and this sink must outlive the await.
  // Cancellation: a write that has begun on a disk ends by itself; a part may
  //               have been written, and offset() is behind it.
  // Cost:         no allocation. On epoll a helper thread writes.
  FileWriteOp Write(std::span<const std::byte> bytes) {
    return FileWriteOp(*this, bytes);
  }
  // The same for several, one after the other. `parts` itself must outlive the
  // await too.
  FileWriteOp Writev(std::span<const std::span<const std::byte>> parts) {
    return FileWriteOp(*this, parts);
  }
  // Does nothing: a file has no end of stream. It is not synchronised.
  FileEndOp ShutdownWrite() { return FileEndOp(); }

  // Where the next byte goes.
  int64_t offset() const { return offset_; }

 private:
  friend class FileWriteOp;

  const int file_;
  int64_t offset_;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_FILE_SINK_H_
