// SPDX-License-Identifier: Apache-2.0
//
// ResponseWriter: what a handler answers, as a whole or in pieces.
//
//   co_return co_await response.Send(200, "Hello, World!\n");
//
//   response.headers().Set("Content-Type", "text/event-stream");
//   absl::Status sent = co_await response.Start(200);
//   while (sent.ok()) {
//     ...
//     sent = co_await response.Write(event);
//   }

#ifndef RINGWAY_HTTP_SERVER_RESPONSE_WRITER_H_
#define RINGWAY_HTTP_SERVER_RESPONSE_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/server/exchange.h"
#include "ringway/http/tunnel/tunnel.h"

namespace ringway::http {

// One response to each request. All functions that send:
//
// Errors:       InvalidArgument: a header that cannot be sent, or a status code
//               that is none (200 to 599). FailedPrecondition: the response has
//               ended, or was not started, or has another length than its
//               Content-Length. DeadlineExceeded: the client has read nothing
//               for ServerOptions::write_timeout. Those of the stream;
//               Cancelled. After the last three nothing more can be sent.
// Ownership:    what is sent must outlive the await.
// Threads:      the connection's worker's only.
// Cancellation: ends the connection.
// Cost:         a frame; one write of the stream.
//
// The bodies of responses to HEAD, and of those with 204 and 304, are left out;
// their Content-Length for HEAD is not. Whoever handles GET handles HEAD, too.
class ResponseWriter {
 public:
  ResponseWriter(const ResponseWriter&) = delete;
  ResponseWriter& operator=(const ResponseWriter&) = delete;

  // What goes before the body. Date, Server and what frames the body are added.
  Headers& headers() { return headers_; }
  // What goes after it, with Start() and HTTP/1.1 only.
  Headers& trailers() { return trailers_; }

  // A whole response. Its Content-Type, unless that is set, is
  // "text/plain; charset=utf-8" if there is a body.
  Task<absl::Status> Send(int status_code, std::string_view body = {}) {
    return exchange_.Send(status_code, headers_, body);
  }
  // The same with `n_bytes` of a file from `offset` on, which the kernel sends
  // if it can. `file` stays the caller's. If the file ends before, the
  // connection does.
  Task<absl::Status> SendFile(int status_code, int file, int64_t offset,
                              uint64_t n_bytes) {
    return exchange_.SendFile(status_code, headers_, file, offset, n_bytes);
  }

  // Sends the head; the body follows by Write(). With a Content-Length among
  // the headers it has that; else it is chunked, and for HTTP/1.0 ends with the
  // connection.
  Task<absl::Status> Start(int status_code) {
    return exchange_.Start(status_code, headers_);
  }
  Task<absl::Status> Write(std::span<const std::byte> bytes) {
    return exchange_.Write(bytes);
  }
  Task<absl::Status> Write(std::string_view text) {
    return exchange_.Write(std::as_bytes(std::span(text)));
  }
  // Ends it. A handler that returns OK without this has it done.
  Task<absl::Status> Finish() { return exchange_.Finish(trailers_); }

  // Sends `headers` before the response, such as Link with 103 (RFC 8297).
  // Does nothing for HTTP/1.0. `status_code` is 102 to 199.
  Task<absl::Status> SendInformational(int status_code,
                                       const Headers& headers) {
    return exchange_.SendInformational(status_code, headers);
  }

  // Leaves HTTP: sends 101 with the headers, and gives the connection's bytes
  // from there on. `protocol` must be one that the request's Upgrade field
  // names. When the handler returns, the connection ends gracefully;
  // ServerOptions::request_timeout is over.
  //
  // Errors:    FailedPrecondition: the response has begun, the request has a
  //            body, or it asks for no such upgrade. Unimplemented: it came by
  //            HTTP/2.
  // Ownership: the connection's, until the handler returns.
  Task<absl::StatusOr<Tunnel*>> Upgrade(std::string_view protocol) {
    headers_.Set("Upgrade", protocol);
    return exchange_.Upgrade(protocol, headers_);
  }

  // Whether a part of it may have been sent, so that no other can be.
  bool started() const { return status_code_ != 0; }
  // 0 until then.
  int status_code() const { return status_code_; }
  // Bytes of the body that were sent, as they were given to Write().
  uint64_t body_bytes() const { return body_bytes_; }

  // --- For the server.

  explicit ResponseWriter(internal::Exchange& exchange) : exchange_(exchange) {}
  void Reset() {
    headers_.Clear();
    trailers_.Clear();
    status_code_ = 0;
    body_bytes_ = 0;
  }
  void OnStarted(int status_code) { status_code_ = status_code; }
  void OnBody(uint64_t n_bytes) { body_bytes_ += n_bytes; }

 private:
  internal::Exchange& exchange_;
  Headers headers_;
  Headers trailers_;
  int status_code_ = 0;
  uint64_t body_bytes_ = 0;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_SERVER_RESPONSE_WRITER_H_
