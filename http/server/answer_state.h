// SPDX-License-Identifier: Apache-2.0
//
// AnswerState: what an answer is in every version of HTTP: the limits of the
// request's body, what of a response may follow what, and how both end. The
// versions add how bytes travel.

#ifndef RINGWAY_HTTP_SERVER_ANSWER_STATE_H_
#define RINGWAY_HTTP_SERVER_ANSWER_STATE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/http1/request_head.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/server/exchange.h"
#include "ringway/http/server/request.h"
#include "ringway/http/server/response_writer.h"
#include "ringway/http/server/server_core.h"

namespace ringway::http::internal {

class AnswerState : public Exchange {
 protected:
  // `core` outlives this.
  explicit AnswerState(const ServerCore& core)
      : core_(core), response_(*this) {}
  ~AnswerState() = default;

  const ServerOptions& options() const { return core_.options; }

  // The head of a request has come, or as much of it as is refused. `head` must
  // stay as it is until TellEnd().
  void BeginAnswer(const RequestHead& head, MonotonicTime now);

  // --- The request.

  // Sets why the request is refused, unless it is refused already.
  absl::Status Refuse(int status_code, absl::Status status);
  // Refuses a body that is announced to be longer than max_body_bytes.
  absl::Status CheckLength();
  // Accounts for `n` more bytes of the body, and refuses those beyond it.
  absl::Status CountBody(size_t n);
  // The handler's end; of what it has thrown, Internal.
  Task<absl::Status> RunHandler(Request& request);

  // --- The response.

  // Begins one. `n_body`: of a body whose length is known; that of the headers
  // goes before it if it is not, and for HEAD. Sets response_length_ and
  // sends_body_.
  absl::Status StartResponse(int status_code, const Headers& headers,
                             std::optional<uint64_t> n_body);
  // Accounts for `n` bytes that the handler adds.
  absl::Status CountResponse(uint64_t n);
  // It has begun: the handler has response_timeout.
  virtual void OnResponseBegun() = 0;
  // The handler has given all of it.
  absl::Status EndResponse(const Headers& trailers);
  // Whether this can be sent before the response.
  absl::Status CheckInformational(int status_code, const Headers& headers);
  // What the client gets from a handler that has ended without a response.
  int StatusCodeFor(const absl::Status& handled) const;

  // Counts and tells that it is over. `method`: that of the client.
  void TellEnd(std::string_view method, const absl::Status& handled,
               MonotonicTime now);

  const ServerCore& core_;
  ResponseWriter response_;
  // That of the response, if it was announced.
  std::optional<uint64_t> response_length_;
  int refusal_ = 0;          // a status code
  bool sends_body_ = false;  // what the handler gives as the body
  bool answered_ = false;    // the handler has given all of the response
  bool timed_out_ = false;   // the handler
  bool cut_ = false;         // nothing more can be sent

 private:
  const RequestHead* head_ = nullptr;
  MonotonicTime begun_at_;
  uint64_t n_body_ = 0;      // of the request, that were read
  uint64_t n_response_ = 0;  // that the handler has given
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_ANSWER_STATE_H_
