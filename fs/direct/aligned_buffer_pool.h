// SPDX-License-Identifier: Apache-2.0
//
// AlignedBufferPool: a fixed number of aligned buffers in one region of memory,
// which can be registered with the kernel and made of huge pages.
//
//   auto pool = AlignedBufferPool::Create(options);
//   absl::StatusOr<AlignedBuffer> buffer = co_await (*pool)->Acquire();
//   co_await file.ReadAt(buffer->bytes(), offset);  // its end returns it

#ifndef RINGWAY_FS_DIRECT_ALIGNED_BUFFER_POOL_H_
#define RINGWAY_FS_DIRECT_ALIGNED_BUFFER_POOL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/core/compiler.h"
#include "ringway/core/memory/page_region.h"
#include "ringway/executor/sync/semaphore.h"
#include "ringway/fs/direct/aligned_buffer.h"

namespace ringway::fs {

struct AlignedBufferPoolOptions {
  AlignedBufferPoolOptions() {}

  // Of each buffer, 1 to 1 GiB.
  size_t buffer_bytes = 64 * 1024;
  // 1 to 1,048,576.
  size_t count = 64;
  // A power of two up to 2 MiB; every buffer begins at a multiple.
  size_t alignment = 4096;
  // Huge pages where the kernel has some: see PageRegion.
  bool huge_pages = false;
};

struct AlignedBufferPoolStats {
  size_t in_use = 0;
  size_t most_in_use = 0;
  uint64_t acquired = 0;
  uint64_t waited = 0;  // of these, those that waited for a buffer
  PageKind pages = PageKind::kOrdinary;
  uint64_t huge_page_fallbacks = 0;  // huge pages were asked for: see `pages`
};

// For one worker. Its buffers must have been returned, and nothing may wait for
// one, when it is destroyed (checked).
class AlignedBufferPool {
 public:
  // Errors: InvalidArgument naming the option; ResourceExhausted (no memory).
  static absl::StatusOr<std::unique_ptr<AlignedBufferPool>> Create(
      const AlignedBufferPoolOptions& options = AlignedBufferPoolOptions());

  AlignedBufferPool(const AlignedBufferPool&) = delete;
  AlignedBufferPool& operator=(const AlignedBufferPool&) = delete;
  ~AlignedBufferPool();

  class [[nodiscard]] AcquireOp : public Semaphore::AcquireOp {
   public:
    explicit AcquireOp(AlignedBufferPool& pool)
        : Semaphore::AcquireOp(pool.slots_, 1), pool_(pool) {}
    absl::StatusOr<AlignedBuffer> await_resume();

   private:
    AlignedBufferPool& pool_;
  };

  // Takes a buffer when there is one, in the order of the calls.
  //
  // Errors:       Cancelled.
  // Cancellation: takes nothing.
  // Cost:         no allocation.
  AcquireOp Acquire();

  // Takes one if there is one and nothing waits for it.
  std::optional<AlignedBuffer> TryAcquire();

  // All of its memory, for BackendHints::RegisterMemory(): reads and writes in
  // it then save the kernel the look-up of its pages. Forget it before the
  // pool's end.
  std::span<std::byte> memory() const { return region_.bytes(); }

  const AlignedBufferPoolOptions& options() const { return options_; }
  AlignedBufferPoolStats stats() const;

 private:
  friend class AlignedBuffer;
  AlignedBufferPool(const AlignedBufferPoolOptions& options, size_t stride,
                    PageRegion region);

  AlignedBuffer Take();
  void Return(std::byte* data);

  const AlignedBufferPoolOptions options_;
  const PageRegion region_;
  std::vector<std::byte*> free_;  // the last one returned is the next: cached
  size_t most_in_use_ = 0;
  uint64_t acquired_ = 0;
  uint64_t waited_ = 0;
  Semaphore slots_;
};

}  // namespace ringway::fs

#endif  // RINGWAY_FS_DIRECT_ALIGNED_BUFFER_POOL_H_
