// SPDX-License-Identifier: Apache-2.0
//
// The bytes of an HTTP/1.1 response: its head, chunks, trailers.

#ifndef RINGWAY_HTTP_HTTP1_RESPONSE_HEAD_H_
#define RINGWAY_HTTP_HTTP1_RESPONSE_HEAD_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

// How the recipient knows where the body ends.
enum class Framing : uint8_t {
  kNone,     // there is none, and no field about it: 204, 304
  kLength,   // Content-Length
  kChunked,  // Transfer-Encoding
  kClose,    // by the end of the connection: for HTTP/1.0
};

// What the connection has to say, beside the fields of the handler.
struct ConnectionFields {
  std::string_view server;  // empty: no such field
  std::string_view date;    // the same
  Framing framing = Framing::kLength;
  uint64_t content_length = 0;  // of kLength
  bool close = false;
  bool keep_alive = false;  // to be said: HTTP/1.0
  // Without a Content-Type, it is text.
  bool default_type = false;
};

// Appends the status line and all fields, with the empty line that ends them.
// Fields of `headers` that say what the connection does (Connection,
// Transfer-Encoding, Keep-Alive, and Content-Length but for kNone) are left
// out; so are Date and Server of `fields` if `headers` have them. An Upgrade
// among them is named by Connection (RFC 9110, section 7.8).
void AppendResponseHead(int status_code, const Headers& headers,
                        const ConnectionFields& fields, std::string& to);

// Appends what stands before a chunk of `n_bytes`, at least 1. What stands
// after it is kChunkEnd.
void AppendChunkStart(size_t n_bytes, std::string& to);
inline constexpr std::string_view kChunkEnd = "\r\n";

// Appends the last chunk and the trailers.
void AppendLastChunk(const Headers& trailers, std::string& to);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP1_RESPONSE_HEAD_H_
