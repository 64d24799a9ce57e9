// SPDX-License-Identifier: Apache-2.0
//
// Range requests (RFC 9110, section 14): which bytes are asked for.

#ifndef RINGWAY_HTTP_FILES_PROTOCOL_BYTE_RANGES_H_
#define RINGWAY_HTTP_FILES_PROTOCOL_BYTE_RANGES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"

namespace ringway::http::internal {

// Not empty.
struct ByteRange {
  uint64_t offset = 0;
  uint64_t n_bytes = 0;

  uint64_t end() const { return offset + n_bytes; }
  bool operator==(const ByteRange&) const = default;
};

struct RequestedRanges {
  enum class Kind : uint8_t {
    kWhole,          // the field is ignored: 200
    kSome,           // `ranges` has at least one: 206
    kUnsatisfiable,  // 416
  };

  Kind kind = Kind::kWhole;
  // Of one range nothing is allocated.
  absl::InlinedVector<ByteRange, 2> ranges;
};

// Gaps of so many bytes, or fewer, are sent along: the head of another part is
// longer (section 15.3.7.2).
inline constexpr uint64_t kMostGapBytes = 80;

// Reads `field`, the value of Range, for a representation of `size` bytes.
//
// It is ignored if its unit is not "bytes", if it is malformed, or has more
// than `most_ranges`. Ranges that overlap, touch, or are kMostGapBytes apart
// become one, at the place of the first of them; so together they have at most
// `size` bytes, whatever is asked for. Others keep their order.
RequestedRanges ParseRanges(std::string_view field, uint64_t size,
                            size_t most_ranges);

// The value of Content-Range for 206: "bytes 0-99/1000".
std::string ContentRange(const ByteRange& range, uint64_t size);
// That for 416: "bytes */1000".
std::string UnsatisfiedRange(uint64_t size);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_FILES_PROTOCOL_BYTE_RANGES_H_
