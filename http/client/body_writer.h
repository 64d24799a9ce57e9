// SPDX-License-Identifier: Apache-2.0
//
// BodyWriter: sends the body of a request in pieces.
//
//   request.write_body = [](http::BodyWriter& body) -> Task<absl::Status> {
//     for (int i = 0; i < 3; ++i) {
//       const std::string line = absl::StrCat("line ", i, "\n");
//       absl::Status sent = co_await body.Write(line);
//       if (!sent.ok()) co_return sent;
//     }
//     co_return absl::OkStatus();
//   };

#ifndef RINGWAY_HTTP_CLIENT_BODY_WRITER_H_
#define RINGWAY_HTTP_CLIENT_BODY_WRITER_H_

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/message/headers.h"

namespace ringway::http {

namespace internal {

// What a body needs of the protocol that carries it.
class BodySink {
 public:
  virtual Task<absl::Status> WriteBody(std::span<const std::byte> bytes) = 0;

 protected:
  virtual ~BodySink() = default;
};

}  // namespace internal

// Threads: the client's only.
class BodyWriter {
 public:
  BodyWriter(const BodyWriter&) = delete;
  BodyWriter& operator=(const BodyWriter&) = delete;

  // Sends the next bytes.
  //
  // Errors:       FailedPrecondition: more than ClientRequest::content_length.
  //               DeadlineExceeded: the server has read nothing for
  //               ClientOptions::write_timeout. Unavailable and others of the
  //               connection: the server may have answered nevertheless, which
  //               Send() returns then. Cancelled: the response has ended, or
  //               was dropped, before the body.
  // Ownership:    what is sent must outlive the await.
  // Cancellation: ends the request.
  // Cost:         a frame; one write of the connection.
  Task<absl::Status> Write(std::span<const std::byte> bytes) {
    return sink_.WriteBody(bytes);
  }
  Task<absl::Status> Write(std::string_view text) {
    return sink_.WriteBody(std::as_bytes(std::span(text)));
  }

  // What goes after the body, if it has no content_length.
  Headers& trailers() { return trailers_; }

  // --- For the client.
  explicit BodyWriter(internal::BodySink& sink) : sink_(sink) {}

 private:
  internal::BodySink& sink_;
  Headers trailers_;
};

// Writes a body. The body has ended when it returns OK; with an error the
// request fails, and Send() returns that. It is called once at most for a
// request.
using BodyFunction = std::function<Task<absl::Status>(BodyWriter&)>;

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_CLIENT_BODY_WRITER_H_
