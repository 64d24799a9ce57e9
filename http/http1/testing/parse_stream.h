// SPDX-License-Identifier: Apache-2.0
//
// ParseStream: what a RequestParser makes of all bytes of a connection, which
// arrive in pieces.

#ifndef RINGWAY_HTTP_HTTP1_TESTING_PARSE_STREAM_H_
#define RINGWAY_HTTP_HTTP1_TESTING_PARSE_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ringway/http/http1/request_head.h"
#include "ringway/http/http1/request_parser.h"
#include "ringway/http/message/method.h"

namespace ringway::http::testing {

using FieldList = std::vector<std::pair<std::string, std::string>>;

struct ParsedRequest {
  Method method = Method::kGet;
  Version version = Version::kHttp11;
  std::string target;
  std::string path;
  std::string query;
  std::string authority;
  FieldList headers;
  std::optional<uint64_t> content_length;
  bool chunked = false;
  bool expects_continue = false;
  bool keep_alive = false;
  std::string body;
  FieldList trailers;

  bool operator==(const ParsedRequest&) const = default;
};

struct ParsedStream {
  std::vector<ParsedRequest> requests;  // those that are whole
  int refused_with = 0;                 // a status code; 0: none was
  bool waits = false;                   // for more of a request that has begun
  size_t n_used = 0;                    // up to the end of the last whole one

  bool operator==(const ParsedStream&) const = default;

  // As in TestRequests.
  std::vector<int> Verdicts() const;
};

// How many bytes arrive next, after `n_arrived` of them: at least one.
using Pieces = std::function<size_t(size_t n_arrived)>;
// All at once.
size_t InOnePiece(size_t n_arrived);
size_t ByteByByte(size_t n_arrived);
// In two pieces.
Pieces CutAt(size_t n_bytes);

// Parses requests until one is refused, or wants the connection closed, or
// `bytes` end. `room`: for each piece of a chunked body.
ParsedStream ParseStream(std::string_view bytes, const Pieces& pieces,
                         const RequestLimits& limits = RequestLimits(),
                         size_t room = 4096);

// The bytes of `request`, as a client would send them.
std::string Serialise(const ParsedRequest& request);

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_HTTP1_TESTING_PARSE_STREAM_H_
