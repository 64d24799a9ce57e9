// SPDX-License-Identifier: Apache-2.0
//
// ResponseParser: responses of HTTP/1.0 and 1.1 from bytes in pieces of any
// size, by llhttp, and what RFC 9112 demands beyond it. Without I/O.
//
//   parser.Reset(Method::kGet);
//   size_t n_used = 0;
//   switch (parser.ParseHead(bytes, n_used)) {
//     case ParseStep::kNeedMore: ...  // all bytes were used
//     case ParseStep::kDone: parser.head() ...  // the body follows
//     case ParseStep::kFailed: parser.error() ...
//   }

#ifndef RINGWAY_HTTP_HTTP1_RESPONSE_PARSER_H_
#define RINGWAY_HTTP_HTTP1_RESPONSE_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "llhttp.h"
#include "ringway/http/http1/chunking_counter.h"
#include "ringway/http/http1/parse_step.h"
#include "ringway/http/http1/received_response.h"
#include "ringway/http/http1/status_line.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/message/method.h"

namespace ringway::http {

// At a fixed address. An informational response, 100 to 199, is one like any
// other, without a body: Reset() and go on.
//
// Threads: one at a time.
// Cost:    the text of the head is copied once, into memory that is kept.
class ResponseParser {
 public:
  explicit ResponseParser(const ResponseLimits& limits);
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  // Begins with the next response, to a request with this method. Keeps memory
  // up to `kept_bytes`.
  void Reset(Method method, size_t kept_bytes = SIZE_MAX);

  // Whether anything of the head has arrived.
  bool begun() const { return n_head_ > 0; }

  // Reads from `bytes` up to the end of the head; puts into `n_used` how many
  // that were. kDone: head() is complete, and `bytes` go on with the body.
  ParseStep ParseHead(std::string_view bytes, size_t& n_used);
  ReceivedResponse& head() { return head_; }
  const ReceivedResponse& head() const { return head_; }

  // For a chunked body: decodes what `bytes` have of it into `to`, `n_body`
  // bytes. kDone: the body has ended, and trailers() are complete. kNeedMore
  // otherwise: give it more, or room.
  ParseStep ParseChunked(std::string_view bytes, std::span<std::byte> to,
                         size_t& n_used, size_t& n_body);
  Headers& trailers() { return trailers_; }
  const Headers& trailers() const { return trailers_; }

  // After kFailed, which is final. DataLoss: it is malformed.
  // ResourceExhausted: it is beyond a limit, which is named. Unimplemented: its
  // Transfer-Encoding.
  const absl::Status& error() const { return error_; }

 private:
  struct Callbacks;

  // Runs llhttp over `bytes`.
  ParseStep Execute(std::string_view bytes, size_t& n_used);
  ParseStep Fail(absl::Status error);
  ParseStep Malformed(std::string_view what);
  int Refuse(absl::Status error);
  ParseStep CheckHead();
  ParseStep CheckFraming();
  int CountFieldBytes(size_t n_bytes);
  Headers& fields() { return in_trailers_ ? trailers_ : head_.headers; }

  const ResponseLimits limits_;
  llhttp_t parser_;
  Method method_ = Method::kGet;
  ReceivedResponse head_;
  Headers trailers_;
  absl::Status error_;
  StatusLine line_;
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

#endif  // RINGWAY_HTTP_HTTP1_RESPONSE_PARSER_H_
