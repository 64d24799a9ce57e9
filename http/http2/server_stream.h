// SPDX-License-Identifier: Apache-2.0
//
// ServerStream: one request of an HTTP/2 connection, and its response. What
// happens to it is told by its virtual functions; ServerSession has the
// functions that answer.

#ifndef RINGWAY_HTTP_HTTP2_SERVER_STREAM_H_
#define RINGWAY_HTTP_HTTP2_SERVER_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ringway/http/http1/request_head.h"
#include "ringway/http/http1/request_limits.h"
#include "ringway/http/http2/request_fields.h"
#include "ringway/http/http2/unsent_bytes.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

class ServerSession;
template <typename Session>
class SessionCallbacks;

// At a fixed address, from ServerSession::Host::NewStream() until OnClosed() or
// ServerSession::Release().
class ServerStream {
 public:
  explicit ServerStream(const RequestLimits& limits) : fields_(limits) {}
  ServerStream(const ServerStream&) = delete;
  ServerStream& operator=(const ServerStream&) = delete;

  int32_t id() const { return id_; }

  // --- The request. Complete once OnRequest() was called.

  RequestHead& head() { return fields_.head(); }
  const RequestHead& head() const { return fields_.head(); }
  // Why it has to be refused; its status code is 0 otherwise.
  const RequestError& error() const { return fields_.error(); }
  std::string_view method_text() const { return fields_.method_text(); }
  // Complete once the body has ended.
  const Headers& trailers() const { return fields_.trailers(); }
  // Bytes of the body that have arrived and were not read.
  size_t unread_bytes() const { return body_.size() - n_read_; }
  // All of the body has arrived.
  bool body_ended() const { return body_ended_; }

  // --- The response.

  // Bytes of its body that are not in frames yet.
  size_t unsent_bytes() const { return unsent_.size(); }
  // All of it is in frames.
  bool response_sent() const { return response_sent_; }

  // --- The stream: closed by its end, or by either side with an error code of
  // RFC 9113, section 7.
  bool closed() const { return closed_; }
  uint32_t close_code() const { return close_code_; }

 protected:
  // Virtual for g++, which takes friends for callers.
  virtual ~ServerStream() = default;

 private:
  friend class ServerSession;
  friend class SessionCallbacks<ServerSession>;

  // The head is complete.
  virtual void OnRequest() = 0;
  // More of the body has arrived, or its end.
  virtual void OnBody() = 0;
  // What was given of the response is in frames.
  virtual void OnSent() = 0;
  // The last one: the session has forgotten the stream, which may be destroyed.
  virtual void OnClosed() = 0;

  int32_t id_ = 0;
  RequestFields fields_;
  std::string body_;
  size_t n_read_ = 0;  // of body_
  UnsentBytes unsent_;
  const Headers* trailers_to_send_ = nullptr;
  uint32_t close_code_ = 0;
  bool body_ended_ = false;
  bool response_begun_ = false;
  bool response_ended_ = false;  // all was given
  bool response_sent_ = false;
  bool closed_ = false;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_SERVER_STREAM_H_
