// SPDX-License-Identifier: Apache-2.0
//
// What a head may have beside what is counted: the rest of its first line, and
// for each field a colon, its line's end and some white space.

#ifndef RINGWAY_HTTP_HTTP1_HEAD_BYTES_H_
#define RINGWAY_HTTP_HTTP1_HEAD_BYTES_H_

#include <cstddef>

namespace ringway::http::internal {

inline constexpr size_t kHeadBytes = 128;
inline constexpr size_t kHeadBytesPerField = 8;

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP1_HEAD_BYTES_H_
