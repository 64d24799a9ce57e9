// SPDX-License-Identifier: Apache-2.0
//
// JsonString: text as a JSON string literal.

#ifndef RINGWAY_EXECUTOR_DIAGNOSTICS_JSON_STRING_H_
#define RINGWAY_EXECUTOR_DIAGNOSTICS_JSON_STRING_H_

#include <string>
#include <string_view>

namespace ringway {

// In quotes, with escapes. Each byte that is not part of valid UTF-8, as in a
// name that was cut, becomes U+FFFD.
std::string JsonString(std::string_view text);

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_DIAGNOSTICS_JSON_STRING_H_
