// SPDX-License-Identifier: Apache-2.0
//
// Status codes (RFC 9110, section 15): their phrases, and what follows from
// them.

#ifndef RINGWAY_HTTP_MESSAGE_STATUS_CODE_H_
#define RINGWAY_HTTP_MESSAGE_STATUS_CODE_H_

#include <string_view>

#include "absl/status/status.h"
#include "ringway/core/compiler.h"

namespace ringway::http {

// "Not Found" for 404; "Unknown" for one without a name.
std::string_view ReasonPhrase(int code);

// A response with it has no body (RFC 9110, section 6.4.1).
constexpr bool HasNoBody(int code) {
  return code < 200 || code == 204 || code == 304;
}

// What a handler's error is to the client: 404 for NotFound, 400 for
// InvalidArgument and OutOfRange, 401 for Unauthenticated, 403 for
// PermissionDenied, 409 for AlreadyExists and Aborted, 412 for
// FailedPrecondition, 413 for ResourceExhausted, 501 for Unimplemented, 503 for
// Unavailable, 504 for DeadlineExceeded, else 500.
int StatusCodeOf(const absl::Status& status);

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_MESSAGE_STATUS_CODE_H_
