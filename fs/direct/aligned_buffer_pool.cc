// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/direct/aligned_buffer_pool.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/core/check_option.h"

namespace ringway::fs {
namespace {

absl::Status Check(const AlignedBufferPoolOptions& o) {
  for (const absl::Status& status : {
           CheckOption("AlignedBufferPoolOptions::buffer_bytes", o.buffer_bytes,
                       1, uint64_t{1} << 30),
           CheckOption("AlignedBufferPoolOptions::count", o.count, 1, 1u << 20),
           CheckOption("AlignedBufferPoolOptions::alignment", o.alignment, 1,
                       PageRegion::kHugePageBytes),
       }) {
    if (!status.ok()) return status;
  }
  if (std::has_single_bit(o.alignment)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("AlignedBufferPoolOptions::alignment is ", o.alignment,
                   ", must be a power of two"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<AlignedBufferPool>> AlignedBufferPool::Create(
    const AlignedBufferPoolOptions& options) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  const size_t stride =
      (options.buffer_bytes + options.alignment - 1) & -options.alignment;
  absl::StatusOr<PageRegion> region = PageRegion::Map(
      stride * options.count, options.alignment, options.huge_pages);
  if (!region.ok()) return region.status();
  return std::unique_ptr<AlignedBufferPool>(
      new AlignedBufferPool(options, stride, *std::move(region)));
}

AlignedBufferPool::AlignedBufferPool(const AlignedBufferPoolOptions& options,
                                     size_t stride, PageRegion region)
    : options_(options), region_(std::move(region)), slots_(options.count) {
  free_.reserve(options.count);
  for (size_t i = options.count; i > 0; --i)
    free_.push_back(region_.bytes().data() + (i - 1) * stride);
}

AlignedBufferPool::~AlignedBufferPool() {
  RINGWAY_CHECK(free_.size() == options_.count,
                "an AlignedBufferPool was destroyed with %zu of its buffers in "
                "use",
                options_.count - free_.size());
}

AlignedBufferPool::AcquireOp AlignedBufferPool::Acquire() {
  if (slots_.available() == 0) ++waited_;
  return AcquireOp(*this);
}

absl::StatusOr<AlignedBuffer> AlignedBufferPool::AcquireOp::await_resume() {
  absl::StatusOr<SemaphorePermit> permit = Semaphore::AcquireOp::await_resume();
  if (!permit.ok()) return permit.status();
  permit->Forget();  // Return() gives it back
  return pool_.Take();
}

std::optional<AlignedBuffer> AlignedBufferPool::TryAcquire() {
  std::optional<SemaphorePermit> permit = slots_.TryAcquire();
  if (!permit.has_value()) return std::nullopt;
  permit->Forget();
  return Take();
}

AlignedBuffer AlignedBufferPool::Take() {
  ++acquired_;
  std::byte* const data = free_.back();
  free_.pop_back();
  most_in_use_ = std::max(most_in_use_, options_.count - free_.size());
  return AlignedBuffer(*this, {data, options_.buffer_bytes});
}

void AlignedBufferPool::Return(std::byte* data) {
  free_.push_back(data);
  slots_.Release();
}

AlignedBufferPoolStats AlignedBufferPool::stats() const {
  AlignedBufferPoolStats stats;
  stats.in_use = options_.count - free_.size();
  stats.most_in_use = most_in_use_;
  stats.acquired = acquired_;
  stats.waited = waited_;
  stats.pages = region_.kind();
  if (options_.huge_pages)
    stats.huge_page_fallbacks = static_cast<uint64_t>(PageKind::kHuge) -
                                static_cast<uint64_t>(region_.kind());
  return stats;
}

}  // namespace ringway::fs
