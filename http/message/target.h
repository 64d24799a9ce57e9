// SPDX-License-Identifier: Apache-2.0
//
// Targets of requests (RFC 9112, section 3.2), their parts and their encoding.

#ifndef RINGWAY_HTTP_MESSAGE_TARGET_H_
#define RINGWAY_HTTP_MESSAGE_TARGET_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ringway/core/compiler.h"
#include "ringway/http/message/method.h"

namespace ringway::http {

// Views into the text that was parsed.
struct Target {
  std::string_view path;       // as sent, begins with a slash; or "*"
  std::string_view query;      // what follows the question mark
  std::string_view authority;  // of the absolute and the authority form
  std::string_view scheme;     // of the absolute form
};

// Parses the target of a request with this method: "/path?query",
// "http://host/path?query", "host:port" for CONNECT, "*" for OPTIONS.
//
// Errors: InvalidArgument.
absl::StatusOr<Target> ParseTarget(Method method, std::string_view text);

// Whether `text` can be the value of Host: a name or an address, perhaps with a
// port (RFC 9110, section 7.2); may be empty.
bool IsAuthority(std::string_view text);

// `text` with its percent-encoded bytes decoded.
//
// Errors: InvalidArgument: a % without two hexadecimal digits, or a NUL.
absl::StatusOr<std::string> PercentDecode(std::string_view text);
// The opposite, for a segment of a path: all but letters, digits and "-._~".
std::string PercentEncode(std::string_view text);

// The first value of `name` in a query such as "q=a+b&lang=en", decoded, with
// spaces for plus signs; none if it is not there, or cannot be decoded.
std::optional<std::string> FindInQuery(std::string_view query,
                                       std::string_view name);

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_MESSAGE_TARGET_H_
