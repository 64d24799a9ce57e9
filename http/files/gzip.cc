// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/gzip.h"

#include <zlib.h>

#include <limits>

#include "ringway/core/check.h"

namespace ringway::http::internal {

std::string Gzip(std::string_view content, int level) {
  constexpr int kGzipFormat = 16;  // added to the window's size
  constexpr int kMemoryLevel = 8;  // zlib's default
  RINGWAY_CHECK(content.size() <= std::numeric_limits<uInt>::max() / 2,
                "%zu bytes are too many for one step", content.size());
  z_stream stream = {};
  if (deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + kGzipFormat,
                   kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    return "";
  }
  std::string compressed(deflateBound(&stream, content.size()), '\0');
  // zlib changes nothing there: only its type is not const.
  stream.next_in = const_cast<Bytef*>(  // NOLINT(*-const-cast)
      reinterpret_cast<const Bytef*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  const int end = deflate(&stream, Z_FINISH);
  RINGWAY_CHECK(end == Z_STREAM_END, "deflate: %d", end);
  compressed.resize(stream.total_out);
  deflateEnd(&stream);
  compressed.shrink_to_fit();  // it may be kept
  return compressed;
}

}  // namespace ringway::http::internal
