// SPDX-License-Identifier: Apache-2.0
//
// ClosedStreams: streams that nghttp2 has forgotten, and on which a client must
// send nothing more.

#ifndef RINGWAY_HTTP_HTTP2_CLOSED_STREAMS_H_
#define RINGWAY_HTTP_HTTP2_CLOSED_STREAMS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "nghttp2/nghttp2.h"

namespace ringway::http::internal {

// Remembers the latest. Frames on streams that the server has reset are none of
// its business: they may have been sent before the client knew.
class ClosedStreams {
 public:
  static constexpr size_t kRemembered = 32;

  // The client has opened a stream: those between it and the one before are
  // closed (RFC 9113, section 5.1.1).
  void Open(uint32_t id) {
    if (id <= newest_) return;
    // The first stream of a client is 1; even ones are the server's.
    const uint32_t first = newest_ == 0 ? 1 : newest_ + 2;
    if (first < id) Add({first, id - 1, NGHTTP2_PROTOCOL_ERROR});
    newest_ = id;
  }
  // The client has ended its side of a stream, or reset it.
  void End(uint32_t id) {
    if (ErrorOf(id) == NGHTTP2_NO_ERROR) Add({id, id, NGHTTP2_STREAM_CLOSED});
  }

  // That a HEADERS or DATA frame is, for the connection, on a stream that is
  // closed; NGHTTP2_NO_ERROR if it has to be ignored.
  uint32_t ErrorOf(uint32_t id) const {
    for (const Range& range : ranges_) {
      if (range.first <= id && id <= range.last) return range.error;
    }
    return NGHTTP2_NO_ERROR;
  }

 private:
  struct Range {
    uint32_t first = 1;
    uint32_t last = 0;
    uint32_t error = NGHTTP2_NO_ERROR;
  };

  void Add(Range range) {
    ranges_[next_] = range;
    next_ = (next_ + 1) % kRemembered;
  }

  std::array<Range, kRemembered> ranges_;
  size_t next_ = 0;
  uint32_t newest_ = 0;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_CLOSED_STREAMS_H_
