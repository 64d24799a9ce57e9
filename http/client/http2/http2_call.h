// SPDX-License-Identifier: Apache-2.0
//
// Http2Call: one request and its response on an HTTP/2 connection.

#ifndef RINGWAY_HTTP_CLIENT_HTTP2_HTTP2_CALL_H_
#define RINGWAY_HTTP_CLIENT_HTTP2_HTTP2_CALL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/client/body_writer.h"
#include "ringway/http/client/http2/http2_client_state.h"
#include "ringway/http/http1/request_text.h"
#include "ringway/http/http2/client/client_stream.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

// As Http1ClientState: Send(), ReadHead(), then ReadBody() until it returns 0.
// A body that Send() is not given follows by WriteBody() and EndBody(), perhaps
// by another task until EndUpload().
//
// Errors, of all that wait: DeadlineExceeded with the name of the option in
// ClientOptions. Unavailable: the server has reset the request, or the
// connection is lost. DataLoss and ResourceExhausted: see
// ClientStream::error(). Cancelled. FailedPrecondition: its loop has ended.
class Http2Call final : public ClientStream, public BodySink, public ListNode {
 public:
  explicit Http2Call(std::shared_ptr<Http2ClientState> connection);
  // Ends it, as Cut() does.
  ~Http2Call() override;

  Http2ClientState& connection() { return *connection_; }
  void set_deadline(MonotonicTime deadline) { deadline_ = deadline; }

  // Sends the head, and a body that is as long as the request says; `body` must
  // stay where it is until the end of the call. Does not wait.
  //
  // Errors: those of CheckRequest(). Unavailable: the connection takes no
  //         request, and refused() is true.
  absl::Status Send(const OutgoingRequest& request, std::string_view body);
  Task<absl::Status> WriteBody(std::span<const std::byte> bytes) override;
  // Waits until all is in frames. `trailers` stay where they are until then.
  Task<absl::Status> EndBody(const Headers& trailers);

  void BeginUpload() { uploading_ = true; }
  void EndUpload(absl::Status status);
  bool uploading() const { return uploading_; }
  Task<absl::StatusOr<bool>> WaitToContinue();

  Task<absl::Status> ReadHead();
  Task<absl::StatusOr<size_t>> ReadBody(std::span<std::byte> to);
  // All of the response has come, and was read.
  bool done() const { return body_ended() && unread_bytes() == 0; }

  // The server has not seen the request.
  bool was_refused() const { return refused() || not_begun_; }

  // Ends it now.
  void Cut();

 private:
  // --- ClientStream.
  void OnChange() override;
  void OnSent() override;
  void OnClosed() override;

  ClientSession& session() { return connection_->session(); }

  // Waits for a change, until `limit`, which `option` has set. `or_progress`:
  // the server has taken enough of the request instead.
  Task<absl::Status> WaitForChange(MonotonicTime limit, std::string_view option,
                                   bool or_progress);
  // Waits until all that was given is in frames, and for `end` its end.
  Task<absl::Status> WaitSent(bool end);
  absl::Status CountBody(size_t n);
  // Why nothing more comes or goes.
  absl::Status WhyClosed() const;
  absl::Status Fail(absl::Status why);
  absl::Status Late(std::string_view option) const;

  const std::shared_ptr<Http2ClientState> connection_;
  MonotonicTime deadline_ = MonotonicTime::Infinite();
  MonotonicTime sent_at_;
  MonotonicTime opened_at_;
  uint64_t request_left_ = 0;  // of a request with a length
  absl::Status failed_;        // what ended it on this side
  absl::Status upload_failed_;
  Event changed_;
  Event sent_;
  bool begun_ = false;
  bool was_opened_ = false;
  bool not_begun_ = false;  // the connection has taken no request
  bool chunked_ = false;
  bool uploading_ = false;
  bool cut_ = false;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_CLIENT_HTTP2_HTTP2_CALL_H_
