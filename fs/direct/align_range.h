// SPDX-License-Identifier: Apache-2.0
//
// AlignRange: the range of a file that direct I/O has to transfer for a range
// that is not aligned.
//
//   const AlignedRange range = AlignRange(1000, 100, 512);  // 512 to 1536

#ifndef RINGWAY_FS_DIRECT_ALIGN_RANGE_H_
#define RINGWAY_FS_DIRECT_ALIGN_RANGE_H_

#include <bit>
#include <cstdint>
#include <limits>

#include "ringway/core/check.h"
#include "ringway/core/compiler.h"

namespace ringway::fs {

// `length` is unsigned because the end may be one past the largest offset.
struct AlignedRange {
  int64_t offset;
  uint64_t length;

  friend bool operator==(const AlignedRange&, const AlignedRange&) = default;
};

// The smallest range that covers [offset, offset + length) and begins and ends
// at multiples of `alignment`, a power of two. Offset and length are not
// negative, nor is their sum more than the largest offset (all checked). A
// range of no bytes is covered by none if its offset is a multiple.
inline AlignedRange AlignRange(int64_t offset, int64_t length,
                               int64_t alignment) {
  RINGWAY_CHECK(offset >= 0 && length >= 0 &&
                    length <= std::numeric_limits<int64_t>::max() - offset,
                "AlignRange() of %lld bytes at offset %lld",
                static_cast<long long>(length), static_cast<long long>(offset));
  RINGWAY_CHECK(
      alignment > 0 && std::has_single_bit(static_cast<uint64_t>(alignment)),
      "AlignRange() to multiples of %lld", static_cast<long long>(alignment));
  const uint64_t mask = static_cast<uint64_t>(alignment) - 1;
  const uint64_t begin = static_cast<uint64_t>(offset) & ~mask;
  const uint64_t end = (static_cast<uint64_t>(offset + length) + mask) & ~mask;
  return {.offset = static_cast<int64_t>(begin), .length = end - begin};
}

}  // namespace ringway::fs

#endif  // RINGWAY_FS_DIRECT_ALIGN_RANGE_H_
