// SPDX-License-Identifier: Apache-2.0
//
// Dates of header fields: `Sun, 06 Nov 1994 08:49:37 GMT`.

#ifndef RINGWAY_HTTP_MESSAGE_DATE_H_
#define RINGWAY_HTTP_MESSAGE_DATE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/compiler.h"

namespace ringway::http {

inline constexpr size_t kDateBytes = 29;

// As an IMF-fixdate (RFC 9110, section 5.6.7), with whole seconds.
std::string FormatDate(absl::Time time);

// Reads any of the three forms that recipients must accept (RFC 9110, section
// 5.6.7). A year of two digits is the latest one with which the date is at most
// 50 years ahead.
//
// Errors: InvalidArgument.
absl::StatusOr<absl::Time> ParseDate(std::string_view text, absl::Time now);

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_MESSAGE_DATE_H_
