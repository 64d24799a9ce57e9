// SPDX-License-Identifier: Apache-2.0
//
// Content codings (RFC 9110, section 8.4.1), and the choice among them by
// Accept-Encoding (section 12.5.3).

#ifndef RINGWAY_HTTP_FILES_PROTOCOL_CONTENT_CODING_H_
#define RINGWAY_HTTP_FILES_PROTOCOL_CONTENT_CODING_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

// Those before kIdentity in the order in which they are preferred to others
// that the client likes as much: the smallest result first.
enum class Coding : uint8_t { kBrotli, kZstd, kGzip, kIdentity };
inline constexpr size_t kCodings = 3;  // but for kIdentity

// Such as "gzip", as fields have it; "" for kIdentity.
std::string_view CodingName(Coding coding);
// What files of this coding have at the end of their names: ".gz".
std::string_view CodingSuffix(Coding coding);

// Some codings, in the order in which they should be tried. kIdentity ends it.
using CodingOrder = std::array<Coding, kCodings + 1>;

// The codings that `request` accepts, the best first. After kIdentity, which is
// always there, because to send it is better than to send nothing, the order is
// filled with kIdentity.
CodingOrder AcceptedCodings(const Headers& request);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_FILES_PROTOCOL_CONTENT_CODING_H_
