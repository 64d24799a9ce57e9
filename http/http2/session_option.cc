// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http2/session_option.h"

#include <algorithm>
#include <cstdint>
#include <new>

namespace ringway::http::internal {

uint32_t HeaderListBytes(size_t header_bytes, size_t header_count) {
  // RFC 9113, section 6.5.2, adds 32 to each field.
  const uint64_t n = uint64_t{header_bytes} + 32 * uint64_t{header_count};
  return static_cast<uint32_t>(std::min<uint64_t>(n, UINT32_MAX));
}

SessionOption MakeSessionOption() {
  nghttp2_option* option = nullptr;
  if (nghttp2_option_new(&option) != 0) throw std::bad_alloc();
  SessionOption made(option);
  // Windows open as bodies are read.
  nghttp2_option_set_no_auto_window_update(option, 1);
  // They were for the tree of priorities that RFC 9113 has given up.
  nghttp2_option_set_no_closed_streams(option, 1);
  // Resets are counted here: nghttp2 would read a clock of its own.
  nghttp2_option_set_stream_reset_rate_limit(option, UINT64_MAX, 1);
  return made;
}

std::array<nghttp2_settings_entry, 4> SessionSettings(
    const RequestLimits& request, const Http2Limits& limits) {
  return {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.max_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
       HeaderListBytes(request.header_bytes, request.header_count)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  }};
}

}  // namespace ringway::http::internal
