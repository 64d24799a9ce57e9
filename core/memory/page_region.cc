// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/memory/page_region.h"

#include <linux/mman.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace ringway {
namespace {

// More than any address space, but small enough to add without overflow.
constexpr size_t kMoreThanThereIs = std::numeric_limits<size_t>::max() / 4;

size_t RoundUp(size_t n_bytes, size_t unit) {
  return (n_bytes + unit - 1) & -unit;
}

std::span<std::byte> MapPages(size_t n_bytes, int flags) {
  void* mapped = mmap(nullptr, n_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  if (mapped == MAP_FAILED) return {};
  return {static_cast<std::byte*>(mapped), n_bytes};
}

// mmap() aligns to pages only: maps more, and unmaps what is too much.
std::span<std::byte> MapAligned(size_t n_bytes, size_t alignment) {
  const std::span<std::byte> all = MapPages(n_bytes + alignment, 0);
  if (all.empty()) return {};
  const auto begin = reinterpret_cast<uintptr_t>(all.data());
  const size_t before = RoundUp(begin, alignment) - begin;
  const size_t after = alignment - before;
  if (before > 0) munmap(all.data(), before);
  if (after > 0) munmap(all.data() + before + n_bytes, after);
  return all.subspan(before, n_bytes);
}

}  // namespace

absl::StatusOr<PageRegion> PageRegion::Map(size_t n_bytes, size_t alignment,
                                           bool huge) {
  if (n_bytes == 0 || !std::has_single_bit(alignment) ||
      alignment > kHugePageBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "pages for ", n_bytes, " bytes at multiples of ", alignment,
        ": need bytes and a power of two up to ", kHugePageBytes));
  }
  std::span<std::byte> bytes;
  if (huge && n_bytes < kMoreThanThereIs) {
    const size_t whole = RoundUp(n_bytes, kHugePageBytes);
    bytes = MapPages(whole, MAP_HUGETLB | MAP_HUGE_2MB);
    if (!bytes.empty()) return PageRegion(bytes, PageKind::kHuge);
    bytes = MapAligned(whole, kHugePageBytes);
    if (!bytes.empty() && madvise(bytes.data(), whole, MADV_HUGEPAGE) == 0)
      return PageRegion(bytes, PageKind::kTransparentHuge);
  }
  if (bytes.empty() && n_bytes < kMoreThanThereIs) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    bytes = MapAligned(RoundUp(n_bytes, page), std::max(alignment, page));
  }
  if (bytes.empty()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("pages for ", n_bytes, " bytes: no memory"));
  }
  return PageRegion(bytes, PageKind::kOrdinary);
}

PageRegion::~PageRegion() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

}  // namespace ringway
