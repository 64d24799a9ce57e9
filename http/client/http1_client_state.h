// SPDX-License-Identifier: Apache-2.0
//
// Http1ClientState: the client's side of an HTTP/1.1 connection, but for its
// stream: what was sent of a request, and what has come of its response.

#ifndef RINGWAY_HTTP_CLIENT_HTTP1_CLIENT_STATE_H_
#define RINGWAY_HTTP_CLIENT_HTTP1_CLIENT_STATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/client/body_writer.h"
#include "ringway/http/client/client_options.h"
#include "ringway/http/http1/received_response.h"
#include "ringway/http/http1/request_text.h"
#include "ringway/http/http1/response_parser.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/tunnel/stream_tunnel.h"

namespace ringway::http::internal {

// One exchange at a time: Send(), ReadHead(), then ReadBody() until it returns
// 0. Another one may follow if reusable().
//
// A body that Send() is not given as a whole follows by WriteBody() and
// EndBody(). Another task may write it while the response is read, between
// BeginUpload() and EndUpload().
//
// Errors, of all that wait: DeadlineExceeded with the name of the option in
// ClientOptions. Those of the stream. Cancelled. After an error the connection
// is of no use, but for ReadBody() that was cancelled.
class Http1ClientState : public BodySink {
 public:
  Http1ClientState(const Http1ClientState&) = delete;
  Http1ClientState& operator=(const Http1ClientState&) = delete;
  ~Http1ClientState() override = default;

  // --- The request.

  // The waits of the next exchange end at this time, too: that of
  // ClientOptions::request_timeout.
  void set_deadline(MonotonicTime deadline) { deadline_ = deadline; }

  // Sends the head, and of a body with a length `body`, all of it or the first
  // part. A server that has closed the connection is no error: the response may
  // have come before.
  //
  // Errors: also those of CheckRequest(), before anything is sent.
  virtual Task<absl::Status> Send(const OutgoingRequest& request,
                                  std::string_view body) = 0;
  // The next bytes of the body.
  //
  // Errors: also FailedPrecondition: more than its length.
  Task<absl::Status> WriteBody(std::span<const std::byte> bytes) override = 0;
  // `trailers` are for a chunked one.
  //
  // Errors: also FailedPrecondition: less than its length. InvalidArgument: a
  //         trailer that cannot be sent.
  virtual Task<absl::Status> EndBody(const Headers& trailers) = 0;

  // Another task writes the body, until EndUpload().
  void BeginUpload();
  // The other task has ended. A failure that is not one of the stream ends the
  // exchange, and is what it returns.
  void EndUpload(absl::Status status);
  bool uploading() const { return uploading_; }
  // For OutgoingRequest::expects_continue: waits for a 100, or for
  // ClientOptions::continue_timeout. False: the response came first, and the
  // body is not wanted.
  Task<absl::StatusOr<bool>> WaitToContinue();

  // --- The response.

  // Until its head has come; informational ones are skipped, but for a 101 that
  // was asked for.
  //
  // Errors: Unavailable: the server has closed the connection before it.
  //         OutOfRange: within it. DataLoss, ResourceExhausted, Unimplemented:
  //         see ResponseParser::error().
  virtual Task<absl::Status> ReadHead() = 0;
  ReceivedResponse& head() { return parser_.head(); }
  // Result: bytes read, at least one; 0 at the end of the body, or if `to` is
  //         empty.
  // Errors: as ReadHead().
  virtual Task<absl::StatusOr<size_t>> ReadBody(std::span<std::byte> to) = 0;
  // Complete at the end of the body.
  Headers& trailers() { return parser_.trailers(); }

  // Bytes of the response have come.
  bool response_begun() const { return response_begun_; }
  // All of it has.
  bool response_done() const { return response_done_; }

  // --- Between two exchanges.

  // Another one may follow: both sides have said all, and agree to.
  virtual bool reusable() const = 0;
  // Waits for the end of an idle connection: the server's, or `timeout`, after
  // which it is not reusable. Cancelled: neither has come.
  virtual Task<absl::Status> WaitIdle(absl::Duration timeout) = 0;
  // Ends it now; tasks that use it end as cancelled.
  virtual void Cut() = 0;
  // After a 101: what goes on with another protocol. This is of no use then.
  virtual std::unique_ptr<OwnedTunnel> TakeTunnel() = 0;

 protected:
  // Memory that a connection keeps between exchanges, for each of a few
  // buffers.
  static constexpr size_t kKeptBytes = 4096;

  // `options` outlive this.
  explicit Http1ClientState(const ClientOptions& options)
      : options_(options), parser_(options.response) {}

  // Puts the head into out_, of a request whose first `n_body` bytes of body
  // follow.
  absl::Status BeginRequest(const OutgoingRequest& request, size_t n_body);
  // Accounts for `n` bytes that are about to be written.
  absl::Status CountBody(size_t n);
  // Why the body cannot end here.
  absl::Status CheckEnd(const Headers& trailers);
  // What a write of the stream gave.
  absl::Status Written(absl::Status written);
  void OnRequestDone();

  // The head is complete. False: it was an informational one.
  absl::StatusOr<bool> OnHead();
  void OnResponseDone();
  // The server has ended its side.
  absl::Status OnEnd();
  // A wait for the response has failed.
  absl::Status OnReadFailed(absl::Status failed, std::string_view option);
  // EndUpload() has ended the wait for the response: OK if that goes on.
  absl::Status OnInterrupted();
  absl::Status Fail(absl::Status why) {
    cut_ = true;
    return why;
  }

  // When a wait that begins now has to end. By the loop of the running task:
  // that of the stream may have ended.
  MonotonicTime WriteLimit() {
    return write_limit_ = Limit(options_.write_timeout);
  }
  MonotonicTime HeadLimit();
  MonotonicTime BodyLimit() {
    return read_limit_ = Limit(options_.body_timeout);
  }
  MonotonicTime Limit(absl::Duration patience) const;
  // A wait has exceeded its `limit`. Not by the clock: a kernel's timer may be
  // a moment early.
  absl::Status Late(std::string_view option, MonotonicTime limit) const;

  std::span<const std::byte> OutBytes() const {
    return std::as_bytes(std::span(out_));
  }

  const ClientOptions& options_;
  ResponseParser parser_;
  std::string out_;
  std::optional<CancelSource> interrupt_;  // of an upload
  uint64_t body_left_ = 0;                 // of a response with a length
  bool cut_ = false;
  bool keep_ = true;
  bool request_done_ = true;
  bool response_done_ = true;
  bool response_begun_ = false;
  bool idle_ended_ = false;
  Framing request_framing_ = Framing::kNone;

 private:
  enum class Consent : uint8_t { kNotNeeded, kAwaited, kGiven, kRefused };

  MonotonicTime deadline_ = MonotonicTime::Infinite();
  MonotonicTime sent_at_;
  MonotonicTime read_limit_;   // of the last wait
  MonotonicTime write_limit_;  // the same
  uint64_t request_left_ = 0;  // of a request with a length
  size_t n_informational_ = 0;
  Method method_ = Method::kGet;
  absl::Status write_failed_;
  absl::Status upload_failed_;
  Event consent_;
  Consent consent_state_ = Consent::kNotNeeded;
  bool uploading_ = false;
  bool asked_upgrade_ = false;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_CLIENT_HTTP1_CLIENT_STATE_H_
