// SPDX-License-Identifier: Apache-2.0
//
// The awaitables of DirectFile's reads and writes. Each is its operation: it
// lives in the coroutine's frame and allocates nothing.

#ifndef RINGWAY_FS_DIRECT_DIRECT_OPS_H_
#define RINGWAY_FS_DIRECT_DIRECT_OPS_H_

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/fs/direct/direct_core.h"
#include "ringway/fs/file_ops.h"

namespace ringway::fs {
namespace internal {

// The bytes of the next operation of a transfer that has `n_left` to go: what
// the kernel transfers at most, and as the next one has to begin aligned.
inline size_t NextPiece(size_t n_left, uint32_t alignment) {
  constexpr size_t kMost = kMostAtOnce;
  return std::min(n_left, kMost - kMost % alignment);
}

class DirectTransfer : public FileOp {
 public:
  bool await_ready() const noexcept {
    return usable() && (n_bytes_ == 0 || misaligned_ != Misaligned::kNo);
  }

  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    if (!Begin(leaf, task)) return task.SkipWait(leaf);
    core().StartInTurn(*this);
    return true;
  }

 protected:
  enum class Way : bool { kRead, kWrite };

  DirectTransfer(DirectCore* core, const std::byte* data, size_t n_bytes,
                 int64_t offset, Way way);
  ~DirectTransfer() {
    // Only when its frame is destroyed where it waits.
    if (DirectCore::Waits(*this)) Unlink();
  }

  size_t n_done() const { return n_done_; }
  absl::Status Result() const;

 private:
  enum class Misaligned : uint8_t { kNo, kMemory, kOffset, kLength };

  DirectCore& core() const { return static_cast<DirectCore&>(FileOp::core()); }
  bool reads() const { return way_ == Way::kRead; }

  static void OnDone(Runnable& entry);
  static void OnCancel(Suspension& suspension);

  Misaligned FindMisaligned() const;
  absl::Status MisalignedStatus() const;
  void Prepare();
  bool Continue();
  bool GoesOn();

  std::byte* const data_;
  const size_t n_bytes_;
  const int64_t offset_;
  const Way way_;
  Misaligned misaligned_ = Misaligned::kNo;
  size_t begin_ = 0;  // of the operation, in the transfer
  size_t n_done_ = 0;
};

}  // namespace internal

class [[nodiscard]] DirectReadOp : public internal::DirectTransfer {
 public:
  DirectReadOp(internal::DirectCore* core, std::span<std::byte> buffer,
               int64_t at)
      : DirectTransfer(core, buffer.data(), buffer.size(), at, Way::kRead) {}
  absl::StatusOr<size_t> await_resume() const {
    const absl::Status status = Result();
    return status.ok() ? absl::StatusOr<size_t>(n_done())
                       : absl::StatusOr<size_t>(status);
  }
};

class [[nodiscard]] DirectWriteOp : public internal::DirectTransfer {
 public:
  DirectWriteOp(internal::DirectCore* core, std::span<const std::byte> bytes,
                int64_t at)
      : DirectTransfer(core, bytes.data(), bytes.size(), at, Way::kWrite) {}
  absl::Status await_resume() const { return Result(); }
};

}  // namespace ringway::fs

#endif  // RINGWAY_FS_DIRECT_DIRECT_OPS_H_
