// SPDX-License-Identifier: Apache-2.0
//
// What a session of nghttp2 does by itself, and what it tells the client at
// first.

#ifndef RINGWAY_HTTP_HTTP2_SESSION_OPTION_H_
#define RINGWAY_HTTP_HTTP2_SESSION_OPTION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "nghttp2/nghttp2.h"
#include "ringway/http/http1/request_limits.h"
#include "ringway/http/http2/http2_limits.h"

namespace ringway::http::internal {

struct SessionOptionDeleter {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};
using SessionOption = std::unique_ptr<nghttp2_option, SessionOptionDeleter>;

// Throws std::bad_alloc.
SessionOption MakeSessionOption();

// SETTINGS_MAX_HEADER_LIST_SIZE for heads within these limits.
uint32_t HeaderListBytes(size_t header_bytes, size_t header_count);

std::array<nghttp2_settings_entry, 4> SessionSettings(
    const RequestLimits& request, const Http2Limits& limits);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_SESSION_OPTION_H_
