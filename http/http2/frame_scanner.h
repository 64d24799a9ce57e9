// SPDX-License-Identifier: Apache-2.0
//
// FrameScanner: looks into frames before nghttp2 gets them, because nghttp2
// does not look into those of streams that it has forgotten.

#ifndef RINGWAY_HTTP_HTTP2_FRAME_SCANNER_H_
#define RINGWAY_HTTP_HTTP2_FRAME_SCANNER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ringway/http/http2/client_preface.h"

namespace ringway::http::internal {

// Given all that a client sends, in any pieces, from the preface on. A preface
// or a length that is wrong makes what it finds meaningless: nghttp2 has ended
// the session by then.
class FrameScanner {
 public:
  enum class Found {
    kNothing,
    kData,       // the head of a DATA frame
    kViolation,  // a frame that is wrong on every stream
  };

  // The number of bytes up to and with the one that completes what is found();
  // all of them if nothing is.
  size_t Scan(std::string_view bytes);
  Found found() const { return found_; }
  // Of the frame that was found.
  uint32_t stream_id() const;
  const char* violation() const { return violation_; }

 private:
  static constexpr size_t kHeadBytes = 9;
  static constexpr size_t kMostContentBytes = 4;

  uint32_t length() const;
  // How much of the content is looked at.
  size_t ContentBytes() const;
  Found CheckContent();

  std::array<uint8_t, kHeadBytes + kMostContentBytes> frame_ = {};
  size_t n_frame_ = 0;                        // of frame_
  size_t n_skipped_ = kClientPreface.size();  // bytes still to be skipped
  Found found_ = Found::kNothing;
  const char* violation_ = "";
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_FRAME_SCANNER_H_
