// SPDX-License-Identifier: Apache-2.0
//
// WriteBehind: a file written from beginning to end, several blocks behind
// whoever produces it.
//
//   fs::WriteBehind writer(file);
//   for (...) {
//     absl::Status written = co_await writer.Write(bytes);
//     if (!written.ok()) co_return written;
//   }
//   absl::Status finished = co_await writer.Finish();

#ifndef RINGWAY_FS_STREAMING_WRITE_BEHIND_H_
#define RINGWAY_FS_STREAMING_WRITE_BEHIND_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
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

// To a File or a DirectFile, which must outlive it. Blocks are started in
// order, and none after one has failed; those in flight by then may have been
// written. Dropped without Finish() it loses what it has not started.
//
// Threads: the file's loop only, one task at a time.
template <typename F = File>
class WriteBehind {
 public:
  explicit WriteBehind(F& file, int64_t offset = 0,
                       const StreamingOptions& options = StreamingOptions())
      : options_(options), offset_(offset), state_(std::make_shared<State>()) {
    state_->file = &file;
  }
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;
  ~WriteBehind() { state_->file = nullptr; }

  // Copies `bytes`; waits while all blocks are in flight.
  //
  // Errors:       those of writing earlier bytes, and then the same at every
  //               call; InvalidArgument for the options, ResourceExhausted
  //               without memory; Cancelled.
  // Cancellation: a part of `bytes` may have been taken: offset() says so.
  // Cost:         a task for each block; its frame.
  Task<absl::Status> Write(std::span<const std::byte> bytes) {
    if (blocks_.empty() && failed_.ok()) failed_ = Begin();
    while (failed_.ok() && !bytes.empty()) {
      Block& block = blocks_[current_];
      if (absl::Status room = co_await Settle(block); !room.ok())
        co_return room;
      const std::span<std::byte> to =
          state_->memory[current_].span().subspan(block.n_bytes);
      const size_t n = std::min(to.size(), bytes.size());
      memcpy(to.data(), bytes.data(), n);
      block.n_bytes += n;
      taken_ += static_cast<int64_t>(n);
      bytes = bytes.subspan(n);
      if (n == to.size()) StartCurrent();
    }
    co_return failed_;
  }

  // Leaves `n_bytes` as they are in the file, a hole in a new one. For a
  // DirectFile a multiple of its alignment, as what was written before.
  //
  // Errors and cancellation: as Write().
  Task<absl::Status> Skip(int64_t n_bytes) {
    if (failed_.ok() && !blocks_.empty()) {
      Block& block = blocks_[current_];
      if (absl::Status room = co_await Settle(block); !room.ok())
        co_return room;
      if (block.n_bytes > 0) StartCurrent();
    }
    if (failed_.ok()) {
      taken_ += n_bytes;
      started_ += n_bytes;
    }
    co_return failed_;
  }

  // Writes what is left and waits until the page cache, or with a DirectFile
  // the device, has everything. The last block is as long as what is left:
  // for a DirectFile a multiple of its alignment.
  //
  // Errors:       as Write().
  // Cancellation: ends the wait; may be called again.
  Task<absl::Status> Finish() {
    if (failed_.ok() && !blocks_.empty()) {
      Block& last = blocks_[current_];
      if (last.n_bytes > 0 && !last.write.valid()) StartCurrent();
    }
    for (size_t i = 0; i < blocks_.size(); ++i) {
      Block& block = blocks_[(current_ + i) % blocks_.size()];
      absl::Status settled = co_await Settle(block);
      if (!settled.ok() && failed_.ok()) co_return settled;  // cancelled
    }
    co_return failed_;
  }

  // Behind the last byte that was taken.
  int64_t offset() const { return offset_ + taken_; }

 private:
  // Outlives this while a block is being written.
  struct State {
    F* file = nullptr;  // null: it was dropped
    std::vector<ringway::AlignedBuffer> memory;
  };
  struct Block {
    JoinHandle<absl::Status> write;
    bool in_flight = false;
    size_t n_bytes = 0;
  };

  static Task<absl::Status> Put(std::shared_ptr<State> state, size_t index,
                                size_t n_bytes, int64_t offset) {
    if (state->file == nullptr) co_return CancelledStatus();
    const std::span<const std::byte> bytes =
        state->memory[index].span().first(n_bytes);
    if constexpr (std::is_same_v<F, File>) {
      co_return co_await state->file->WriteAllAt(bytes, offset);
    } else {
      co_return co_await state->file->WriteAt(bytes, offset);
    }
  }

  absl::Status Begin() {
    absl::StatusOr<std::vector<ringway::AlignedBuffer>> memory =
        internal::MakeBlocks(options_);
    if (!memory.ok()) return memory.status();
    state_->memory = *std::move(memory);
    blocks_ = std::vector<Block>(options_.depth);
    return absl::OkStatus();
  }

  void StartCurrent() {
    Block& block = blocks_[current_];
    block.write =
        Spawn(Put(state_, current_, block.n_bytes, offset_ + started_),
              "write behind");
    block.in_flight = true;
    started_ += static_cast<int64_t>(block.n_bytes);
    current_ = (current_ + 1) % blocks_.size();
  }

  // Waits until the block is free. An error that is not in failed_ ended the
  // wait only.
  Task<absl::Status> Settle(Block& block) {
    if (!block.in_flight) co_return absl::OkStatus();
    absl::Status written = co_await block.write;
    if (!written.ok() && block.write.valid()) co_return written;
    block = Block();
    if (failed_.ok()) failed_ = written;
    co_return written;
  }

  const StreamingOptions options_;
  const int64_t offset_;
  int64_t taken_ = 0;    // bytes of Write() and Skip()
  int64_t started_ = 0;  // of those, in blocks that were started, or skipped
  const std::shared_ptr<State> state_;
  std::vector<Block> blocks_;
  size_t current_ = 0;  // the block that is being filled
  absl::Status failed_;
};

}  // namespace ringway::fs

#endif  // RINGWAY_FS_STREAMING_WRITE_BEHIND_H_
