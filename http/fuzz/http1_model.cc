// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/fuzz/http1_model.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "ringway/core/check.h"
#include "ringway/http/http1/request_parser.h"
#include "ringway/http/http1/testing/parse_stream.h"
#include "ringway/http/message/headers.h"

namespace ringway::fuzz {
namespace {

using http::testing::FieldList;
using http::testing::ParsedRequest;
using http::testing::ParsedStream;
using http::testing::ParseStream;
using http::testing::Pieces;

constexpr size_t kSettings = 8;

http::RequestLimits Limits(uint8_t kind) {
  http::RequestLimits limits;
  if (kind % 4 == 0) {
    limits.target_bytes = 1 + kind / 4;
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

void CheckFields(const FieldList& fields) {
  for (const auto& [name, value] : fields) {
    RINGWAY_CHECK(http::IsToken(name) && http::IsFieldValue(value),
                  "a field that cannot be sent on: %s", name.c_str());
  }
}

void CheckRequest(const ParsedRequest& request) {
  CheckFields(request.headers);
  CheckFields(request.trailers);
  const size_t n_lengths = CountOf(request.headers, "Content-Length");
  const size_t n_codings = CountOf(request.headers, "Transfer-Encoding");
  RINGWAY_CHECK(n_lengths + n_codings <= 1, "two framings");
  RINGWAY_CHECK((n_lengths == 1) == request.content_length.has_value(),
                "a length that the parser has not seen");
  RINGWAY_CHECK((n_codings == 1) == request.chunked,
                "a coding that the parser has not seen");
  RINGWAY_CHECK(request.chunked ||
                    request.content_length.value_or(0) == request.body.size(),
                "a body of another length");
  RINGWAY_CHECK(request.version == http::Version::kHttp10 ||
                    CountOf(request.headers, "Host") == 1,
                "HTTP/1.1 without a Host");
  for (const char c : request.target)
    RINGWAY_CHECK(c > ' ' && c < '\x7f', "a target with byte %d", c);
}

void CheckMemory(std::string_view bytes, const http::RequestLimits& limits) {
  http::RequestParser parser(limits);
  size_t n_used = 0;
  (void)parser.ParseHead(bytes, n_used);
  // Strings and vectors grow by doubling, from a few elements.
  const size_t target = parser.head().target_text.capacity();
  RINGWAY_CHECK(target <= 2 * limits.target_bytes + 64, "a target of %zu bytes",
                target);
  const size_t headers = parser.head().headers.memory_bytes();
  RINGWAY_CHECK(
      headers <= 2 * (limits.header_bytes + 16 * limits.header_count) + 128,
      "header fields of %zu bytes", headers);
}

}  // namespace

size_t CheckHttp1Script(std::string_view script) {
  if (script.size() <= kSettings) return 0;
  const http::RequestLimits limits = Limits(static_cast<uint8_t>(script[0]));
  const size_t room = size_t{1} + static_cast<uint8_t>(script[1]);
  const std::string_view sizes = script.substr(2, kSettings - 2);
  const std::string_view bytes = script.substr(kSettings);

  const ParsedStream whole =
      ParseStream(bytes, http::testing::InOnePiece, limits);
  ParsedStream pieces = ParseStream(bytes, ScriptedPieces(sizes), limits, room);
  // Of several reasons for a refusal, pieces may bring another one to light.
  RINGWAY_CHECK((whole.refused_with == 0) == (pieces.refused_with == 0),
                "refused with %d in one piece, with %d in several",
                whole.refused_with, pieces.refused_with);
  pieces.refused_with = whole.refused_with;
  RINGWAY_CHECK(pieces == whole, "pieces change the result");

  CheckMemory(bytes, limits);
  std::string anew;
  for (const ParsedRequest& request : whole.requests) {
    CheckRequest(request);
    anew += Serialise(request);
  }
  const ParsedStream again =
      ParseStream(anew, http::testing::InOnePiece, limits);
  RINGWAY_CHECK(again.requests == whole.requests && again.refused_with == 0 &&
                    again.n_used == anew.size(),
                "what was accepted is read in another way when written anew");
  return whole.requests.size();
}

}  // namespace ringway::fuzz
