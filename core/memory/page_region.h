// SPDX-License-Identifier: Apache-2.0
//
// PageRegion: owns pages of memory, on request huge ones, which take fewer
// entries of the TLB and of what the kernel keeps of registered memory.
//
// Huge pages are 2 MiB: first those reserved for it (vm.nr_hugepages), then
// those that the kernel makes of ordinary ones (transparent_hugepage/enabled:
// "madvise" or "always"), then ordinary ones.

#ifndef RINGWAY_CORE_MEMORY_PAGE_REGION_H_
#define RINGWAY_CORE_MEMORY_PAGE_REGION_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "absl/status/statusor.h"

namespace ringway {

enum class PageKind : uint8_t {
  kOrdinary,
  kTransparentHuge,  // the kernel was asked for them, and gives what it can
  kHuge,
};

class PageRegion {
 public:
  static constexpr size_t kHugePageBytes = size_t{2} << 20;

  // Maps at least `n_bytes`, zeroed, at a multiple of `alignment`. Untouched
  // pages take no memory, unless they are PageKind::kHuge.
  //
  // Errors: InvalidArgument (no bytes, or an alignment that is not a power of
  //         two up to kHugePageBytes), ResourceExhausted (no memory).
  static absl::StatusOr<PageRegion> Map(size_t n_bytes, size_t alignment,
                                        bool huge);

  // An empty region.
  PageRegion() = default;
  PageRegion(PageRegion&& other) noexcept { Swap(other); }
  PageRegion& operator=(PageRegion&& other) noexcept {
    PageRegion(std::move(other)).Swap(*this);
    return *this;
  }
  ~PageRegion();

  // All of it: the size may be more than was asked for.
  std::span<std::byte> bytes() const { return bytes_; }
  PageKind kind() const { return kind_; }

 private:
  PageRegion(std::span<std::byte> bytes, PageKind kind)
      : bytes_(bytes), kind_(kind) {}

  void Swap(PageRegion& other) {
    std::swap(bytes_, other.bytes_);
    std::swap(kind_, other.kind_);
  }

  std::span<std::byte> bytes_;
  PageKind kind_ = PageKind::kOrdinary;
};

}  // namespace ringway

#endif  // RINGWAY_CORE_MEMORY_PAGE_REGION_H_
