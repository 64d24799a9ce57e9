// SPDX-License-Identifier: Apache-2.0
//
// ClientSession: the client's side of one HTTP/2 connection (RFC 9113), by
// nghttp2: bytes in, bytes out. Without I/O and clocks.
//
//   ClientSession session(response_limits, http2_limits);
//   session.Request(stream, request, /*has_body=*/false);
//   session.Send(out, 65536);     // what is to be written
//   session.Receive(bytes, now);  // calls functions of the streams
//   if (session.done()) ...       // close the connection
//
// Whatever a server does, memory is bounded: by the windows for bodies, the
// limits for heads, and the number of frames that wait to be sent. A server
// beyond a limit gets GOAWAY; so does one that pushes.

#ifndef RINGWAY_HTTP_HTTP2_CLIENT_CLIENT_SESSION_H_
#define RINGWAY_HTTP_HTTP2_CLIENT_CLIENT_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "nghttp2/nghttp2.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/http/http1/received_response.h"
#include "ringway/http/http1/request_text.h"
#include "ringway/http/http2/client/client_fields.h"
#include "ringway/http/http2/client/client_limits.h"
#include "ringway/http/http2/client/client_stream.h"
#include "ringway/http/http2/second_counter.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

// Functions of streams are for those that are not closed; for others they do
// nothing. What they put into frames is given by the next Send().
//
// Threads: one at a time.
// Cost:    of ours, nothing is allocated per frame once buffers have grown.
class ClientSession {
 public:
  // A Send() gives little more than its limit: what a frame has at most.
  static constexpr size_t kFrameBytes = 16 * 1024;

  // The limits must outlive this. Throws std::bad_alloc.
  ClientSession(const ResponseLimits& response,
                const Http2ClientLimits& limits);
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;
  // Streams that are not closed hear nothing of it.
  ~ClientSession();

  // Takes bytes of the server, at most some 64 KiB at a time: limits are
  // checked in between. Must not be called by a stream's function. Afterwards
  // there may be something to send.
  void Receive(std::string_view bytes, MonotonicTime now);

  // Appends what is to be sent to `to` until that has `limit_bytes`.
  void Send(std::string& to, size_t limit_bytes);
  // Send() would append something.
  bool has_output() const { return nghttp2_session_want_write(session_) != 0; }

  // Nothing is left to be received or sent.
  bool done() const;
  // OK, or why the session has ended before its end.
  const absl::Status& status() const { return status_; }
  // Requests can be made: neither side has begun to end it.
  bool accepts() const;

  // No requests follow; done() after those that are open.
  void EndShutdown();
  // Ends it at once. `why` becomes status(), unless that is not OK.
  void Terminate(uint32_t code, absl::Status why);

  // --- Streams.

  // Sends a request that CheckRequest() has found good, once the server takes
  // one more. False, and nothing has happened, unless accepts().
  bool Request(ClientStream& stream, const OutgoingRequest& request,
               bool has_body);
  // The next bytes of the request's body. True: they were copied, at most
  // UnsentBytes::kKeptBytes of a stream. False: they must stay where they are
  // until OnSent() or TakeBack(); so must nothing else be given.
  bool Give(ClientStream& stream, std::span<const std::byte> bytes);
  // Forgets bytes that were given and not copied, and trailers; the stream must
  // be reset then unless all were sent.
  static void TakeBack(ClientStream& stream);
  // All of the body was given. `trailers` must stay where they are until
  // request_sent().
  void End(ClientStream& stream, const Headers& trailers);

  // Copies the next bytes of the response's body, and lets the server send as
  // many more.
  size_t ReadBody(ClientStream& stream, std::span<std::byte> to);

  // Ends it: the rest of the response is not wanted.
  void Reset(ClientStream& stream);
  // The connection is lost: OnClosed(), with `why`, unless it is closed
  // already.
  void Abandon(ClientStream& stream, absl::Status why);
  // Forgets it without OnClosed(): it may be destroyed. It must be closed, or
  // have been reset.
  void Release(ClientStream& stream);

 private:
  friend class SessionCallbacks<ClientSession>;

  // Null for one that was closed or released.
  ClientStream* Find(int32_t id) const;
  void CountControlFrame();
  // Of a function of nghttp2 whose fatal errors are those of memory.
  void Check(int result);

  // --- What nghttp2 calls.
  void OnBeginFrame(const nghttp2_frame_hd& head);
  void OnBeginHead(const nghttp2_frame& frame);
  void OnHead(ClientStream& stream, const nghttp2_frame& frame);
  void OnFrame(const nghttp2_frame& frame);
  void OnData(int32_t id, std::string_view bytes);
  void OnFrameSent(const nghttp2_frame& frame);
  void OnStreamClosed(int32_t id, uint32_t code);
  static void Close(ClientStream& stream);
  nghttp2_ssize OnReadSource(ClientStream& stream, size_t most,
                             uint32_t& flags);
  int OnSendData(int32_t id, std::string_view frame_head, size_t n);
  // Fails and resets a stream that is beyond a limit.
  void CheckFields(ClientStream& stream);

  const Http2ClientLimits& limits_;
  nghttp2_session* session_ = nullptr;
  ClientFields fields_;
  absl::Status status_;
  MonotonicTime now_;
  SecondCounter control_frames_;
  uint32_t free_window_updates_ = 100;  // for the first requests
  std::string* out_ = nullptr;          // during Send()
  size_t out_limit_ = 0;
  bool shutdown_ = false;
  bool broken_ = false;  // nothing more can be sent
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_CLIENT_CLIENT_SESSION_H_
