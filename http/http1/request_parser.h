// SPDX-License-Identifier: Apache-2.0
//
// RequestParser: requests of HTTP/1.0 and 1.1 from bytes in pieces of any size,
// by llhttp, and what RFC 9110 and 9112 demand beyond it. Without I/O.
//
//   size_t n_used = 0;
//   switch (parser.ParseHead(bytes, n_used)) {
//     case ParseStep::kNeedMore: ...  // all bytes were used
//     case ParseStep::kDone: parser.head() ...  // the body follows
//     case ParseStep::kFailed: parser.error() ...
//   }

#ifndef RINGWAY_HTTP_HTTP1_REQUEST_PARSER_H_
#define RINGWAY_HTTP_HTTP1_REQUEST_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "llhttp.h"
#include "ringway/http/http1/chunking_counter.h"
#include "ringway/http/http1/parse_step.h"
#include "ringway/http/http1/request_head.h"
#include "ringway/http/http1/request_limits.h"
#include "ringway/http/http1/request_line.h"
#include "ringway/http/message/headers.h"

namespace ringway::http {

// At a fixed address. May be used again after a request that ended.
//
// Threads: one at a time.
// Cost:    the text of the head is copied once, into memory that is kept.
class RequestParser {
 public:
  explicit RequestParser(const RequestLimits& limits);
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Begins with the next request, in the memory of the head.
  void Reset();

  // Whether anything of the head has arrived, beside empty lines before it.
  bool begun() const { return line_.begun(); }

  // Reads from `bytes` up to the end of the head; puts into `n_used` how many
  // that were. kDone: head() is complete, and `bytes` go on with the body.
  ParseStep ParseHead(std::string_view bytes, size_t& n_used);
  RequestHead& head() { return head_; }
  const RequestHead& head() const { return head_; }

  // For a chunked body: decodes what `bytes` have of it into `to`, `n_body`
  // bytes. kDone: the body has ended, and trailers() are complete. kNeedMore
  // otherwise: give it more, or room.
  ParseStep ParseChunked(std::string_view bytes, std::span<std::byte> to,
                         size_t& n_used, size_t& n_body);
  const Headers& trailers() const { return trailers_; }

  // After kFailed, which is final. Of several reasons that a request has, how
  // it arrives may decide which one this is.
  const RequestError& error() const { return error_; }

 private:
  struct Callbacks;

  // Runs llhttp over `bytes`.
  ParseStep Execute(std::string_view bytes, size_t& n_used);
  ParseStep Fail(int status_code, std::string_view text);
  int Refuse(int status_code, std::string_view text);
  ParseStep CheckHead();
  ParseStep CheckHost();
  ParseStep CheckFraming();
  ParseStep CheckCodings();
  ParseStep CheckExpect();
  int CountFieldBytes(size_t n_bytes);
  Headers& fields() { return in_trailers_ ? trailers_ : head_.headers; }

  const RequestLimits limits_;
  llhttp_t parser_;
  RequestHead head_;
  Headers trailers_;
  RequestError error_;
  RequestLine line_;
  size_t n_head_ = 0;  // bytes of all of it
  size_t n_field_bytes_ = 0;
  std::string_view body_from_;
  std::span<std::byte> body_to_;
  size_t n_body_ = 0;
  internal::ChunkingCounter chunking_;
  bool in_field_ = false;
  bool in_trailers_ = false;
  bool head_done_ = false;
  bool done_ = false;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_HTTP1_REQUEST_PARSER_H_
