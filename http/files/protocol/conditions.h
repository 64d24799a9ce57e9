// SPDX-License-Identifier: Apache-2.0
//
// Conditional requests for GET and HEAD (RFC 9110, section 13).

#ifndef RINGWAY_HTTP_FILES_PROTOCOL_CONDITIONS_H_
#define RINGWAY_HTTP_FILES_PROTOCOL_CONDITIONS_H_

#include <cstdint>
#include <string_view>

#include "absl/time/time.h"
#include "ringway/http/files/protocol/entity_tag.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

// What tells the versions of a representation apart.
struct Validators {
  EntityTag tag;
  absl::Time modified;
  std::string_view last_modified;  // the same as a field's value
};

enum class Verdict : uint8_t {
  kSend,
  kNotModified,         // 304
  kPreconditionFailed,  // 412
};

// Evaluates If-Match, else If-Unmodified-Since; then If-None-Match, else
// If-Modified-Since (section 13.2.2). Dates that cannot be read, or are there
// twice, are ignored. `now` is for years of two digits.
Verdict EvaluateConditions(const Headers& request, const Validators& current,
                           absl::Time now);

// Whether the Range field applies: there is no If-Range, or it names the
// current version (section 13.1.5). A date does so only if a later change
// would have had another one: if it lies at least a second before `now`.
bool RangeApplies(const Headers& request, const Validators& current,
                  absl::Time now);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_FILES_PROTOCOL_CONDITIONS_H_
