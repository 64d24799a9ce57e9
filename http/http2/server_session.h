// SPDX-License-Identifier: Apache-2.0
//
// ServerSession: the server's side of one HTTP/2 connection (RFC 9113), by
// nghttp2: bytes in, bytes out. Without I/O and clocks.
//
//   ServerSession session(request_limits, http2_limits, host);
//   session.Receive(bytes, now);  // calls functions of the host's streams
//   session.Send(out, 65536);     // what is to be written
//   if (session.done()) ...       // close the connection
//
// Whatever a client does, memory is bounded: by the windows for bodies, the
// request limits for heads, max_streams, and the number of frames that wait to
// be sent. A client beyond a limit gets GOAWAY.

#ifndef RINGWAY_HTTP_HTTP2_SERVER_SESSION_H_
#define RINGWAY_HTTP_HTTP2_SERVER_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "nghttp2/nghttp2.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/http/http1/request_limits.h"
#include "ringway/http/http2/closed_streams.h"
#include "ringway/http/http2/frame_scanner.h"
#include "ringway/http/http2/http2_limits.h"
#include "ringway/http/http2/response_fields.h"
#include "ringway/http/http2/second_counter.h"
#include "ringway/http/http2/server_stream.h"
#include "ringway/http/http2/unsent_bytes.h"
#include "ringway/http/http2/upgrade_request.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

// Functions of streams are for those that are not closed; for others they do
// nothing. What they put into frames is given by the next Send().
//
// Threads: one at a time.
// Cost:    of ours, nothing is allocated per frame once buffers have grown.
class ServerSession {
 public:
  class Host {
   public:
    // Makes the stream for a request that begins to arrive.
    virtual ServerStream& NewStream() = 0;

   protected:
    ~Host() = default;
  };

  // A Send() gives little more than its limit: what a frame has at most.
  static constexpr size_t kFrameBytes = 16 * 1024;
  // So many bytes of a response's body are kept for Give().
  static constexpr size_t kKeptBytes = UnsentBytes::kKeptBytes;

  // The limits and the host must outlive this. Throws std::bad_alloc.
  ServerSession(const RequestLimits& request, const Http2Limits& limits,
                Host& host);
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;
  // Streams that are not closed hear nothing of it.
  ~ServerSession();

  // The first request of a client that comes by HTTP/1.1, as stream 1. Called
  // before anything else. The client's preface follows.
  void Upgrade(const UpgradeRequest& request);

  // Takes bytes of the client, which begin with the preface, at most some 64
  // KiB at a time: limits are checked in between. Must not be called by a
  // stream's function. Afterwards there may be something to send.
  void Receive(std::string_view bytes, MonotonicTime now);

  // Appends what is to be sent to `to` until that has `limit_bytes`.
  void Send(std::string& to, size_t limit_bytes);
  // Send() would append something.
  bool has_output() const { return nghttp2_session_want_write(session_) != 0; }

  // Nothing is left to be received or sent.
  bool done() const;
  // Receive() would look at its bytes.
  bool receives() const {
    return !broken_ && nghttp2_session_want_read(session_) != 0;
  }
  // OK, or why the session has ended before its end.
  const absl::Status& status() const { return status_; }

  // The client has sent its first frame, so that requests can follow.
  bool begun() const { return begun_; }
  // The stream of whose head, or trailers, a part has arrived and not all; 0 if
  // there is none.
  int32_t head_stream() const { return head_stream_; }
  // Requests since the begin.
  uint64_t n_requests() const { return n_requests_; }

  // --- The end.

  // Tells the client to open no more streams; those that it opens before it has
  // read that are still served (RFC 9113, section 6.8).
  void BeginShutdown();
  // The client has read it.
  bool shutdown_acknowledged() const { return shutdown_acknowledged_; }
  // New streams are ignored from now on; done() after those that are open.
  void EndShutdown();
  // Ends it at once. `why` becomes status(), unless that is not OK.
  void Terminate(uint32_t code, absl::Status why);

  // --- Streams.

  // Copies the next bytes of the body, and lets the client send as many more.
  size_t ReadBody(ServerStream& stream, std::span<std::byte> to);

  // Before the response. `status_code` is 100 to 199, but not 101.
  void Inform(ServerStream& stream, int status_code, const Headers& headers);
  // The head of the response; without `has_body` all of it.
  void Respond(ServerStream& stream, int status_code, const Headers& headers,
               const AddedFields& added, bool has_body);
  // The next bytes of the body. True: they were copied, at most kKeptBytes of a
  // stream. False: they must stay where they are until OnSent() or TakeBack();
  // so must nothing else be given.
  bool Give(ServerStream& stream, std::span<const std::byte> bytes);
  // Forgets bytes that were given and not copied; the stream must be reset
  // then unless all were sent.
  void TakeBack(ServerStream& stream);
  // All of the body was given. `trailers` must stay where they are until
  // response_sent().
  void End(ServerStream& stream, const Headers& trailers);
  // Ends it with an error code, or NO_ERROR after the whole response if the
  // rest of the request is not wanted.
  void Reset(ServerStream& stream, uint32_t code);
  // The connection is lost: OnClosed(), unless it is closed already.
  void Abandon(ServerStream& stream);
  // Forgets it without OnClosed(): it may be destroyed. It must be closed, have
  // been reset, or have been answered completely.
  void Release(ServerStream& stream);

 private:
  friend class SessionCallbacks<ServerSession>;

  // Gives bytes of the client to nghttp2; false after an error.
  bool Give(std::string_view bytes);
  // By what the scanner has found; afterwards the session may have ended.
  void CheckFound();
  // Null for one that was closed or released.
  ServerStream* Find(int32_t id) const;
  void CountReset();
  void CountControlFrame();
  // Of a function of nghttp2 whose fatal errors are those of memory.
  void Check(int result);
  // Ends the session if a frame on this stream, which is closed, is an error.
  void CheckClosed(uint32_t id);

  // --- What nghttp2 calls.
  void OnBeginFrame(const nghttp2_frame_hd& head);
  void OnBeginHead(const nghttp2_frame& frame);
  void OnHead(ServerStream& stream, const nghttp2_frame& frame);
  // Its head is complete.
  void BeginRequest(ServerStream& stream);
  void OnFrame(const nghttp2_frame& frame);
  void OnData(int32_t id, std::string_view bytes);
  void OnFrameSent(const nghttp2_frame& frame);
  void OnStreamClosed(int32_t id, uint32_t code);
  static void Close(ServerStream& stream, uint32_t code);
  nghttp2_ssize OnReadSource(ServerStream& stream, size_t most,
                             uint32_t& flags);
  int OnSendData(int32_t id, std::string_view frame_head, size_t n);

  const Http2Limits& limits_;
  Host& host_;
  nghttp2_session* session_ = nullptr;
  ResponseFields fields_;
  FrameScanner scanner_;
  ClosedStreams closed_streams_;
  absl::Status status_;
  MonotonicTime now_;
  SecondCounter resets_;
  SecondCounter control_frames_;
  uint64_t n_requests_ = 0;
  uint32_t free_window_updates_ = 100;  // for the first requests
  int32_t head_stream_ = 0;             // whose head is arriving
  std::string* out_ = nullptr;          // during Send()
  size_t out_limit_ = 0;
  bool begun_ = false;
  bool shutdown_begun_ = false;
  bool shutdown_acknowledged_ = false;
  bool shutdown_ended_ = false;
  bool broken_ = false;  // nothing more can be sent
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_SERVER_SESSION_H_
