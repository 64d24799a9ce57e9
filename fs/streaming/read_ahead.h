// SPDX-License-Identifier: Apache-2.0
//
// ReadAhead: a file from beginning to end, several blocks ahead of whoever
// consumes it.
//
//   fs::ReadAhead reader(file);
//   while (true) {
//     absl::StatusOr<std::span<const std::byte>> block = co_await
//     reader.Next(); if (!block.ok()) co_return block.status(); if
//     (block->empty()) break;  // the end of the file
//     ...
//   }

#ifndef RINGWAY_FS_STREAMING_READ_AHEAD_H_
#define RINGWAY_FS_STREAMING_READ_AHEAD_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/memory/aligned_buffer.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/streaming/streaming_options.h"

namespace ringway::fs {

// Of a File or a DirectFile, which must outlive it. Dropped while blocks are
// being read, it cancels that; nothing of it is used afterwards but its memory,
// which stays until the disk is done.
//
// Threads: the file's loop only.
template <typename F = File>
class ReadAhead {
 public:
  static constexpr int64_t kToTheEnd = std::numeric_limits<int64_t>::max();

  // `n_bytes` from `offset` on, or what there is until the end of the file. For
  // a DirectFile both are multiples of its alignment.
  explicit ReadAhead(F& file, int64_t offset = 0, int64_t n_bytes = kToTheEnd,
                     const StreamingOptions& options = StreamingOptions())
      : options_(options),
        offset_(offset),
        n_left_(n_bytes),
        state_(std::make_shared<State>()) {
    state_->file = &file;
  }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ~ReadAhead() {
    state_->file = nullptr;
    StopReading();
  }

  // The next block, whole but for the last; empty at the end, and ever after.
  // Begins reading at the first call. One task at a time.
  //
  // Errors:       those of ReadAt(), and then the same at every call;
  //               InvalidArgument for the options, ResourceExhausted without
  //               memory; Cancelled.
  // Ownership:    the bytes are valid until the next call.
  // Cancellation: ends the wait; the next call waits for the same block.
  // Cost:         a task for each block; its frame.
  Task<absl::StatusOr<std::span<const std::byte>>> Next() {
    if (over_) co_return over_status_;
    if (blocks_.empty()) {
      if (absl::Status begun = Begin(); !begun.ok()) co_return End(begun);
    } else if (holds_) {  // the caller has done with it
      Start(next_);
      next_ = (next_ + 1) % blocks_.size();
    }
    holds_ = false;
    Block& block = blocks_[next_];
    if (block.wanted == 0) co_return End(absl::OkStatus());
    const absl::StatusOr<size_t> n = co_await block.read;
    if (!n.ok() && block.read.valid()) co_return n.status();  // cancelled
    if (!n.ok()) co_return End(n.status());
    if (*n == 0) co_return End(absl::OkStatus());
    if (*n < block.wanted) {  // the file ends here
      n_left_ = 0;
      StopReading();
    }
    holds_ = true;
    co_return std::span<const std::byte>(state_->memory[next_].span())
        .first(*n);
  }

 private:
  // Outlives this while a block is being read.
  struct State {
    F* file = nullptr;  // null: it was dropped
    std::vector<ringway::AlignedBuffer> memory;
  };
  struct Block {
    JoinHandle<absl::StatusOr<size_t>> read;
    size_t wanted = 0;  // 0: nothing is left for it
  };
  using Result = absl::StatusOr<std::span<const std::byte>>;

  static Task<absl::StatusOr<size_t>> Fill(std::shared_ptr<State> state,
                                           size_t index, int64_t offset,
                                           size_t wanted) {
    size_t n = 0;
    while (n < wanted && state->file != nullptr) {
      const std::span<std::byte> rest =
          state->memory[index].span().subspan(n, wanted - n);
      const absl::StatusOr<size_t> got =
          co_await state->file->ReadAt(rest, offset + static_cast<int64_t>(n));
      if (!got.ok()) co_return got.status();
      n += *got;
      // A DirectFile reads less only at the end, where it cannot go on.
      if (*got == 0 || !std::is_same_v<F, File>) break;
    }
    co_return n;
  }

  absl::Status Begin() {
    absl::StatusOr<std::vector<ringway::AlignedBuffer>> memory =
        internal::MakeBlocks(options_);
    if (!memory.ok()) return memory.status();
    state_->memory = *std::move(memory);
    blocks_ = std::vector<Block>(options_.depth);
    for (size_t i = 0; i < blocks_.size(); ++i) Start(i);
    return absl::OkStatus();
  }

  void Start(size_t index) {
    Block& block = blocks_[index];
    block.wanted = static_cast<size_t>(
        std::min<int64_t>(static_cast<int64_t>(options_.block_bytes), n_left_));
    if (block.wanted == 0) return;
    block.read =
        Spawn(Fill(state_, index, offset_, block.wanted), "read ahead");
    offset_ += static_cast<int64_t>(block.wanted);
    n_left_ -= static_cast<int64_t>(block.wanted);
  }

  Result End(absl::Status status) {
    over_ = true;
    StopReading();
    if (status.ok()) {
      over_status_ = std::span<const std::byte>();
    } else {
      over_status_ = std::move(status);
    }
    return over_status_;
  }

  void StopReading() {
    for (Block& block : blocks_) {
      if (block.read.valid()) block.read.Cancel();
      block = Block();
    }
  }

  const StreamingOptions options_;
  int64_t offset_;  // of the next block to be read
  int64_t n_left_;
  const std::shared_ptr<State> state_;
  std::vector<Block> blocks_;
  size_t next_ = 0;     // the block to be returned
  bool holds_ = false;  // the caller has that
  bool over_ = false;
  Result over_status_ = std::span<const std::byte>();
};

}  // namespace ringway::fs

#endif  // RINGWAY_FS_STREAMING_READ_AHEAD_H_
