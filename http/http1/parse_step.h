// SPDX-License-Identifier: Apache-2.0
//
// ParseStep: what a parser of HTTP/1 made of the bytes that it was given.

#ifndef RINGWAY_HTTP_HTTP1_PARSE_STEP_H_
#define RINGWAY_HTTP_HTTP1_PARSE_STEP_H_

#include <cstdint>

namespace ringway::http {

enum class ParseStep : uint8_t { kNeedMore, kDone, kFailed };

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_HTTP1_PARSE_STEP_H_
