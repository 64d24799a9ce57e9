// SPDX-License-Identifier: Apache-2.0
//
// The framing of multipart/byteranges (RFC 9110, section 14.6).

#ifndef RINGWAY_HTTP_FILES_PROTOCOL_MULTIPART_H_
#define RINGWAY_HTTP_FILES_PROTOCOL_MULTIPART_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ringway/http/files/protocol/byte_ranges.h"

namespace ringway::http::internal {

// Several ranges of one representation. Views must outlive it.
class Multipart {
 public:
  // `boundary` must not be in what is sent: 16 random bytes are not.
  Multipart(std::string_view boundary, std::string_view content_type,
            uint64_t size, std::span<const ByteRange> ranges)
      : boundary_(boundary),
        content_type_(content_type),
        size_(size),
        ranges_(ranges) {}

  // The value of the Content-Type field of the whole.
  std::string Type() const;
  // What goes before the bytes of a range, and after those of the last.
  std::string PartHead(const ByteRange& range) const;
  std::string End() const;
  // The length of everything.
  uint64_t ContentLength() const;

 private:
  const std::string_view boundary_;
  const std::string_view content_type_;
  const uint64_t size_;
  const std::span<const ByteRange> ranges_;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_FILES_PROTOCOL_MULTIPART_H_
