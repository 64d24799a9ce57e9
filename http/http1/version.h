// SPDX-License-Identifier: Apache-2.0
//
// The version of HTTP/1, which a request line ends with and a status line
// begins with.

#ifndef RINGWAY_HTTP_HTTP1_VERSION_H_
#define RINGWAY_HTTP_HTTP1_VERSION_H_

#include <cstdint>

namespace ringway::http {

// Where the digits stand in `HTTP/1.1`.
inline constexpr uint8_t kMajorDigit = 5;
inline constexpr uint8_t kMinorDigit = 7;

inline constexpr char kOtherVersion[] =
    "the version is neither HTTP/1.0 nor HTTP/1.1";

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_HTTP1_VERSION_H_
