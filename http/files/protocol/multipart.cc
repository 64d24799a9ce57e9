// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/multipart.h"

#include "absl/strings/str_cat.h"

namespace ringway::http::internal {

std::string Multipart::Type() const {
  return absl::StrCat("multipart/byteranges; boundary=", boundary_);
}

std::string Multipart::PartHead(const ByteRange& range) const {
  return absl::StrCat("\r\n--", boundary_, "\r\nContent-Type: ", content_type_,
                      "\r\nContent-Range: ", ContentRange(range, size_),
                      "\r\n\r\n");
}

std::string Multipart::End() const {
  return absl::StrCat("\r\n--", boundary_, "--\r\n");
}

uint64_t Multipart::ContentLength() const {
  uint64_t n_bytes = End().size();
  for (const ByteRange& range : ranges_)
    n_bytes += PartHead(range).size() + range.n_bytes;
  return n_bytes;
}

}  // namespace ringway::http::internal
