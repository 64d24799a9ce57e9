// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/fuzz/http1_response_model.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "ringway/core/check.h"
#include "ringway/http/http1/response_parser.h"
#include "ringway/http/http1/testing/parse_responses.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/message/status_code.h"

namespace ringway::fuzz {
namespace {

using http::internal::Framing;
using http::testing::FieldList;
using http::testing::ParsedResponse;
using http::testing::ParsedResponses;
using http::testing::ParseResponses;
using http::testing::Pieces;

constexpr size_t kSettings = 8;

http::ResponseLimits Limits(uint8_t kind) {
  http::ResponseLimits limits;
  if (kind % 4 == 0) {
    limits.header_bytes = size_t{2} * kind + 1;
    limits.header_count = 1 + kind / 16;
  }
  return limits;
}

// Sizes of the script, over and over.
Pieces ScriptedPieces(std::string_view sizes) {
  size_t next = 0;
  return [sizes, next](size_t) mutable {
    const auto size = static_cast<uint8_t>(sizes[next++ % sizes.size()]);
    return size_t{1} + size % 64;
  };
}

size_t CountOf(const FieldList& fields, std::string_view name) {
  return static_cast<size_t>(
      std::count_if(fields.begin(), fields.end(), [&](const auto& field) {
        return http::EqualsIgnoringCase(field.first, name);
      }));
}

void CheckFields(const FieldList& fields, const http::ResponseLimits& limits) {
  size_t n_bytes = 0;
  for (const auto& [name, value] : fields) {
    RINGWAY_CHECK(http::IsToken(name) && http::IsFieldValue(value),
                  "a field that cannot be sent on: %s", name.c_str());
    n_bytes += name.size() + value.size();
  }
  RINGWAY_CHECK(
      n_bytes <= limits.header_bytes && fields.size() <= limits.header_count,
      "%zu bytes of %zu fields", n_bytes, fields.size());
}

void CheckResponse(const ParsedResponse& response, http::Method method,
                   const http::ResponseLimits& limits) {
  RINGWAY_CHECK(response.status_code >= 100 && response.status_code <= 999,
                "status %d", response.status_code);
  CheckFields(response.headers, limits);
  CheckFields(response.trailers, limits);
  const size_t n_lengths = CountOf(response.headers, "Content-Length");
  const size_t n_codings = CountOf(response.headers, "Transfer-Encoding");
  RINGWAY_CHECK(n_lengths + n_codings <= 1, "two framings");
  RINGWAY_CHECK((n_lengths == 1) == response.content_length.has_value(),
                "a length that the parser has not seen");
  const bool has_body =
      method != http::Method::kHead && !http::HasNoBody(response.status_code);
  const Framing framing = !has_body        ? Framing::kNone
                          : n_codings == 1 ? Framing::kChunked
                          : n_lengths == 1 ? Framing::kLength
                                           : Framing::kClose;
  RINGWAY_CHECK(response.framing == framing, "another framing");
  RINGWAY_CHECK(framing != Framing::kLength ||
                    response.body.size() == *response.content_length,
                "a body of another length");
  RINGWAY_CHECK(has_body || response.body.empty(), "a body that is none");
  RINGWAY_CHECK(framing != Framing::kClose || !response.keep_alive,
                "kept after its end");
}

}  // namespace

size_t CheckHttp1Responses(std::string_view script) {
  if (script.size() <= kSettings) return 0;
  const auto kind = static_cast<uint8_t>(script[0]);
  const http::Method method =
      kind % 3 == 0 ? http::Method::kHead : http::Method::kGet;
  const http::ResponseLimits limits = Limits(static_cast<uint8_t>(script[1]));
  const size_t room = size_t{1} + static_cast<uint8_t>(script[2]);
  const std::string_view sizes = script.substr(3, kSettings - 3);
  const std::string_view bytes = script.substr(kSettings);

  const ParsedResponses whole =
      ParseResponses(bytes, method, http::testing::InOnePiece, limits);
  ParsedResponses pieces =
      ParseResponses(bytes, method, ScriptedPieces(sizes), limits, room);
  // Of several reasons, pieces may bring another one to light.
  RINGWAY_CHECK(
      whole.error.ok() == pieces.error.ok(), "%s in one piece, %s in several",
      whole.error.ToString().c_str(), pieces.error.ToString().c_str());
  pieces.error = whole.error;
  RINGWAY_CHECK(pieces == whole, "pieces change the result");
  for (const ParsedResponse& response : whole.responses)
    CheckResponse(response, method, limits);
  return whole.responses.size();
}

}  // namespace ringway::fuzz
