// SPDX-License-Identifier: Apache-2.0
//
// The awaitables of File. Each is its operation: it lives in the coroutine's
// frame and allocates nothing.

#ifndef RINGWAY_FS_FILE_OPS_H_
#define RINGWAY_FS_FILE_OPS_H_

#include <sys/stat.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/backends/prepare.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/fs/file_core.h"
#include "ringway/fs/file_info.h"
#include "ringway/fs/span_cursor.h"

namespace ringway::fs::internal {

// One operation on an open file.
class FileOp : public OperationAwait {
 public:
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    if (!Begin(leaf, task)) return task.SkipWait(leaf);
    Start();
    return true;
  }

 protected:
  // `core` is null for a closed file.
  explicit FileOp(FileCore* core, Function on_done = &OperationAwait::OnDone,
                  CancelFunction on_cancel = &OperationAwait::OnCancel)
      : OperationAwait(on_done, on_cancel),
        core_(core),
        unusable_(LoopDependent::WhyUnusable(core, kFileHandle)) {}
  // Until then the core exists, also if the handle is dropped meanwhile.
  ~FileOp() {
    if (begun_) core_->End();
  }

  // The first half of await_suspend(): false if the task does not wait.
  bool Begin(std::coroutine_handle<> leaf, TaskContext& task) {
    if (!Admit(task) || !Park(leaf, task)) return false;
    core_->Begin();
    begun_ = true;
    return true;
  }

  FileCore& core() const { return *core_; }
  bool usable() const { return unusable_ == Unusable::kNo; }
  // OK, or why there is no result.
  absl::Status Status(std::string_view call, int64_t at = -1) const {
    return usable() ? core_->StatusOf(call, result, at)
                    : UnusableStatus(unusable_, "file");
  }

  bool Admit(TaskContext& task) const {
    if (!usable()) return false;
    core_->CheckAwaitedOn(task.loop(), kFileHandle);
    return true;
  }

 private:
  FileCore* const core_;
  const Unusable unusable_;
  bool begun_ = false;
};

// OutOfRange: the file ends at `offset`, `n_missing` bytes before what was
// asked for.
absl::Status EndsBefore(const FileCore& core, int64_t offset, size_t n_missing);

// Whether a transfer ends with the first operation, or goes on until everything
// has been transferred.
enum class Until : uint8_t { kOnce, kAll };

// Buffers of one operation of a vectored transfer; of more it makes several.
inline constexpr size_t kVectors = 16;

// What the kernel transfers at most by one call (read(2)).
inline constexpr size_t kMostAtOnce = 0x7ffff000;

// Reads or writes one buffer, or several if `kVectored`. `Byte` is std::byte
// for reads, const std::byte for writes.
template <typename Byte, Until kUntil, bool kVectored>
class TransferOp : public FileOp {
 public:
  static constexpr bool kReads = !std::is_const_v<Byte>;
  using Part = std::span<Byte>;

  // At offset `at`, or at the file's position if that is kCurrentPosition.
  TransferOp(FileCore* core, Part buffer, int64_t at) requires(!kVectored)
      : FileOp(core, &OnDone),
        own_part_(buffer),
        offset_(at),
        left_(std::span(&own_part_, 1)) {
    Prepare();
  }
  TransferOp(FileCore* core, std::span<const Part> parts,
             int64_t at) requires(kVectored)
      : FileOp(core, &OnDone), offset_(at), left_(parts) {
    Prepare();
  }

  bool await_ready() const noexcept { return usable() && left_.empty(); }

  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    if constexpr (kReads && !kVectored) {
      if (ReadsCached(task)) return task.SkipWait(leaf);
    }
    return FileOp::await_suspend(leaf);
  }

  // The number of bytes; with kAll a status: OutOfRange if a file that is read
  // ends before.
  auto await_resume() const {
    if constexpr (kUntil == Until::kAll) {
      return Result();
    } else {
      const absl::Status status = Result();
      return status.ok() ? absl::StatusOr<size_t>(n_done_)
                         : absl::StatusOr<size_t>(status);
    }
  }

 private:
  struct Nothing {};

  static void OnDone(Runnable& entry) {
    TransferOp& self = static_cast<TransferOp&>(Of(entry));
    if (!self.GoesOn()) self.Complete();
  }
  bool Continue() {
    if (Restart()) return true;
    result = -ECANCELED;
    return false;
  }
  // After the end of an operation: true if there is a next one.
  bool GoesOn();
  // Reads what the page cache has. True if that was all.
  bool ReadsCached(TaskContext& task);
  void Prepare();
  void Advance() {  // by what an operation has transferred
    n_done_ += static_cast<size_t>(result);
    left_.Skip(static_cast<size_t>(result));
  }
  int64_t Offset() const {
    return offset_ < 0 ? kCurrentPosition
                       : offset_ + static_cast<int64_t>(n_done_);
  }
  absl::Status Result() const;

  const Part own_part_;
  const int64_t offset_;
  SpanCursor<Byte> left_;
  size_t n_done_ = 0;
  bool at_end_ = false;  // of the file, before everything was read
  [[no_unique_address]] std::conditional_t<kVectored,
                                           std::array<iovec, kVectors>, Nothing>
      vectors_;
};

template <typename Byte, Until kUntil, bool kVectored>
bool TransferOp<Byte, kUntil, kVectored>::ReadsCached(TaskContext& task) {
  if (task.cancelled() || !Admit(task)) return false;
  if (core().MustPause(left_.First(kMostAtOnce).size(), task)) return false;
  const int32_t n = task.loop().backend().ReadCached(*this);
  if (n < 0) return false;
  result = n;
  Advance();
  state = left_.empty() ? OpState::kDone : OpState::kIdle;
  Prepare();
  return left_.empty();
}

template <typename Byte, Until kUntil, bool kVectored>
void TransferOp<Byte, kUntil, kVectored>::Prepare() {
  if (!usable() || left_.empty()) return;
  constexpr uint32_t where = kElsewhereIfLong;
  const int file = core().fd();
  if constexpr (kVectored) {
    const std::span<const iovec> next = left_.Fill(vectors_, kMostAtOnce);
    kReads ? PrepareReadv(*this, file, next, Offset(), where)
           : PrepareWritev(*this, file, next, Offset(), where);
  } else if constexpr (kReads) {
    PrepareRead(*this, file, left_.First(kMostAtOnce), Offset(), where);
  } else {
    PrepareWrite(*this, file, left_.First(kMostAtOnce), Offset(), where);
  }
}

template <typename Byte, Until kUntil, bool kVectored>
bool TransferOp<Byte, kUntil, kVectored>::GoesOn() {
  if (result == -EINTR) return Continue();
  if (result == 0 && kReads) at_end_ = true;
  if (result == 0 && !kReads) result = -ENOSPC;  // it would not go on
  if (result <= 0) return false;
  Advance();
  if (kUntil == Until::kOnce || left_.empty()) return false;
  Prepare();
  return Continue();
}

template <typename Byte, Until kUntil, bool kVectored>
absl::Status TransferOp<Byte, kUntil, kVectored>::Result() const {
  if (usable() && at_end_ && kUntil == Until::kAll)
    return EndsBefore(core(), Offset(), left_.CountRest());
  return Status(kReads ? "read of" : "write to", Offset());
}

template <Until kUntil, bool kVectored = false>
using ReadTransfer = TransferOp<std::byte, kUntil, kVectored>;
template <Until kUntil, bool kVectored = false>
using WriteTransfer = TransferOp<const std::byte, kUntil, kVectored>;

// What has no result but a status.
class PlainFileOp : public FileOp {
 public:
  absl::Status await_resume() const { return Status(call_); }

 protected:
  // `call`: "truncate of", for messages.
  PlainFileOp(FileCore* core, const char* call) : FileOp(core), call_(call) {}

 private:
  const char* const call_;
};

}  // namespace ringway::fs::internal

namespace ringway::fs {

class [[nodiscard]] SyncOp : public internal::FileOp {
 public:
  SyncOp(internal::FileCore* core, bool data_only);
  bool await_ready() const noexcept;
  absl::Status await_resume() const;
};

class [[nodiscard]] TruncateOp : public internal::PlainFileOp {
 public:
  TruncateOp(internal::FileCore* core, int64_t n_bytes);
};
class [[nodiscard]] AllocateOp : public internal::PlainFileOp {
 public:
  AllocateOp(internal::FileCore* core, int mode, int64_t offset,
             int64_t n_bytes);
};

class [[nodiscard]] AdviseOp : public internal::PlainFileOp {
 public:
  AdviseOp(internal::FileCore* core, int64_t offset, int64_t n_bytes,
           int advice);
};

class [[nodiscard]] SetFilePermissionsOp : public internal::PlainFileOp {
 public:
  SetFilePermissionsOp(internal::FileCore* core, mode_t permissions);
};
class [[nodiscard]] SetFileOwnerOp : public internal::PlainFileOp {
 public:
  SetFileOwnerOp(internal::FileCore* core, uid_t uid, gid_t gid);
};
class [[nodiscard]] SetFileTimesOp : public internal::PlainFileOp {
 public:
  SetFileTimesOp(internal::FileCore* core, const FileTimes& times);

 private:
  const std::array<timespec, 2> times_;
};

class [[nodiscard]] StatOp : public internal::FileOp {
 public:
  explicit StatOp(internal::FileCore* core);
  absl::StatusOr<FileInfo> await_resume() const;

 private:
  struct statx info_ = {};
};

}  // namespace ringway::fs

#endif  // RINGWAY_FS_FILE_OPS_H_
