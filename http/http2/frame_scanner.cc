// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http2/frame_scanner.h"

#include <algorithm>

#include "nghttp2/nghttp2.h"

namespace ringway::http::internal {

namespace {

constexpr size_t kType = 3;
constexpr size_t kFlags = 4;
constexpr size_t kStream = 5;

// The highest bit is reserved, or a flag.
uint32_t Number31(const uint8_t* bytes) {
  return (uint32_t{bytes[0]} & 0x7f) << 24 | uint32_t{bytes[1]} << 16 |
         uint32_t{bytes[2]} << 8 | bytes[3];
}

}  // namespace

uint32_t FrameScanner::stream_id() const { return Number31(&frame_[kStream]); }

uint32_t FrameScanner::length() const {
  return uint32_t{frame_[0]} << 16 | uint32_t{frame_[1]} << 8 | frame_[2];
}

// Frames of a wrong size are nghttp2's on every stream.
size_t FrameScanner::ContentBytes() const {
  switch (frame_[kType]) {
    case NGHTTP2_DATA:
      return (frame_[kFlags] & NGHTTP2_FLAG_PADDED) != 0 && length() > 0 ? 1
                                                                         : 0;
    case NGHTTP2_PRIORITY:
      return length() == 5 ? 4 : 0;
    case NGHTTP2_WINDOW_UPDATE:
      return length() == 4 ? 4 : 0;
    default:
      return 0;
  }
}

FrameScanner::Found FrameScanner::CheckContent() {
  const uint8_t* const content = &frame_[kHeadBytes];
  switch (frame_[kType]) {
    case NGHTTP2_DATA:
      if (content[0] < length()) return Found::kNothing;
      violation_ = "DATA: more padding than bytes";
      break;
    case NGHTTP2_PRIORITY:
      if (Number31(content) != stream_id()) return Found::kNothing;
      violation_ = "PRIORITY: a stream that depends on itself";
      break;
    default:
      if (Number31(content) != 0) return Found::kNothing;
      violation_ = "WINDOW_UPDATE: an increment of 0";
      break;
  }
  return Found::kViolation;
}

size_t FrameScanner::Scan(std::string_view bytes) {
  size_t i = 0;
  found_ = Found::kNothing;
  while (i < bytes.size() && found_ == Found::kNothing) {
    if (n_skipped_ > 0) {
      const size_t n = std::min(n_skipped_, bytes.size() - i);
      n_skipped_ -= n;
      i += n;
      continue;
    }
    frame_[n_frame_++] = static_cast<uint8_t>(bytes[i++]);
    if (n_frame_ < kHeadBytes) continue;
    const size_t n_content = ContentBytes();
    if (n_frame_ == kHeadBytes && frame_[kType] == NGHTTP2_DATA)
      found_ = Found::kData;
    if (n_frame_ < kHeadBytes + n_content) continue;
    if (n_content > 0) found_ = CheckContent();
    n_skipped_ = length() - n_content;
    n_frame_ = 0;
  }
  return i;
}

}  // namespace ringway::http::internal
