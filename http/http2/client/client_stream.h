// SPDX-License-Identifier: Apache-2.0
//
// ClientStream: one request of an HTTP/2 connection, and its response. What
// happens to it is told by its virtual functions; ClientSession has the
// functions that act.

#ifndef RINGWAY_HTTP_HTTP2_CLIENT_CLIENT_STREAM_H_
#define RINGWAY_HTTP_HTTP2_CLIENT_CLIENT_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "ringway/http/http1/received_response.h"
#include "ringway/http/http2/client/received_fields.h"
#include "ringway/http/http2/unsent_bytes.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

class ClientSession;
template <typename Session>
class SessionCallbacks;

// At a fixed address, from ClientSession::Request() until OnClosed() or
// ClientSession::Release().
class ClientStream {
 public:
  // `limits` must outlive this.
  explicit ClientStream(const ResponseLimits& limits) : fields_(limits) {}
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;

  int32_t id() const { return id_; }

  // --- The request.

  // Its head is in a frame: the server takes it.
  bool opened() const { return opened_; }
  // The server has asked for the body, by 100.
  bool continued() const { return continued_; }
  // Bytes of its body that are not in frames yet.
  size_t unsent_bytes() const { return unsent_.size(); }
  // All of it is in frames.
  bool request_sent() const { return request_sent_; }

  // --- The response.

  // Its head has come.
  bool head_done() const { return head_done_; }
  ReceivedResponse& head() { return fields_.head(); }
  // Complete once the body has ended.
  Headers& trailers() { return fields_.trailers(); }
  // Bytes of the body that have arrived and were not read.
  size_t unread_bytes() const { return body_.size() - n_read_; }
  // All of the body has arrived.
  bool body_ended() const { return body_ended_; }

  // --- The end: of both messages, or by either side.

  bool closed() const { return closed_; }
  // The server has not looked at the request, which may be sent again.
  bool refused() const { return refused_; }
  // Why it has ended before its end, once it is closed. DataLoss: the response
  // is malformed. ResourceExhausted: a limit. Unavailable: the server has reset
  // it, or the connection is lost.
  const absl::Status& error() const { return error_; }

 protected:
  // Virtual for g++, which takes friends for callers.
  virtual ~ClientStream() = default;

 private:
  friend class ClientSession;
  friend class SessionCallbacks<ClientSession>;

  // Its head is in a frame, or 100 has come, or the head of the response, or
  // more of its body, or its end.
  virtual void OnChange() = 0;
  // What was given of the request is in frames.
  virtual void OnSent() = 0;
  // The last one: the session has forgotten the stream, which may be destroyed.
  virtual void OnClosed() = 0;

  void Fail(absl::Status why) {
    if (error_.ok()) error_ = std::move(why);
  }

  int32_t id_ = 0;
  ReceivedFields fields_;
  std::string body_;
  size_t n_read_ = 0;  // of body_
  UnsentBytes unsent_;
  const Headers* trailers_to_send_ = nullptr;
  absl::Status error_;
  bool opened_ = false;
  bool continued_ = false;
  bool request_ended_ = false;  // all was given
  bool request_sent_ = false;
  bool head_done_ = false;
  bool body_ended_ = false;
  bool reset_ = false;  // by this side
  bool refused_ = false;
  bool closed_ = false;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_CLIENT_CLIENT_STREAM_H_
