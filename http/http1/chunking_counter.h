// SPDX-License-Identifier: Apache-2.0
//
// ChunkingCounter: bounds what a chunked body has beside its bytes: the sizes
// of chunks, their extensions, trailers.

#ifndef RINGWAY_HTTP_HTTP1_CHUNKING_COUNTER_H_
#define RINGWAY_HTTP_HTTP1_CHUNKING_COUNTER_H_

#include <cstdint>
#include <string_view>

namespace ringway::http::internal {

// Of one body at a time.
class ChunkingCounter {
 public:
  static constexpr std::string_view kTooMuch =
      "chunks have little but their sizes and extensions";

  // `trailer_bytes`: what trailers may have.
  explicit ChunkingCounter(uint64_t trailer_bytes)
      : allowance_(kBytes + trailer_bytes) {}

  void Reset() { n_body_ = n_chunking_ = 0; }

  // Whether it is too much with so many more bytes of both.
  bool TooMuch(uint64_t n_body, uint64_t n_chunking) const {
    return n_chunking_ + n_chunking >
           allowance_ + kBytesPerByte * (n_body_ + n_body);
  }
  void Count(uint64_t n_body, uint64_t n_chunking) {
    n_body_ += n_body;
    n_chunking_ += n_chunking;
  }

 private:
  // A body of single bytes, whose sizes have leading zeros, stays below it.
  static constexpr uint64_t kBytes = 16 * 1024;
  static constexpr uint64_t kBytesPerByte = 8;

  const uint64_t allowance_;
  uint64_t n_body_ = 0;
  uint64_t n_chunking_ = 0;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP1_CHUNKING_COUNTER_H_
