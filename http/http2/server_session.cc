// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http2/server_session.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/http/http2/session_callbacks.h"
#include "ringway/http/http2/session_option.h"

namespace ringway::http::internal {

namespace {

// Frames that wait to be sent while the client does not read. What clients
// cause of them, answers to streams apart, is small.
constexpr size_t kQueuedFrames = 10'000;
constexpr uint32_t kWindowUpdatesPerData = 4;
constexpr uint32_t kMostFreeWindowUpdates = 10'000;
constexpr std::array<uint8_t, 8> kShutdownPing = {'s', 'h', 'u', 't',
                                                  'd', 'o', 'w', 'n'};

}  // namespace

ServerSession::ServerSession(const RequestLimits& request,
                             const Http2Limits& limits, Host& host)
    : limits_(limits), host_(host) {
  const SessionOption option = MakeSessionOption();
  if (nghttp2_session_server_new2(&session_,
                                  SessionCallbacks<ServerSession>::Get(), this,
                                  option.get()) != 0) {
    throw std::bad_alloc();
  }
  const auto settings = SessionSettings(request, limits);
  Check(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(),
                                settings.size()));
  Check(nghttp2_session_set_local_window_size(
      session_, NGHTTP2_FLAG_NONE, 0,
      static_cast<int32_t>(limits.connection_window_bytes)));
}

ServerSession::~ServerSession() { nghttp2_session_del(session_); }

void ServerSession::Check(int result) {
  if (nghttp2_is_fatal(result) != 0) {
    Terminate(NGHTTP2_INTERNAL_ERROR,
              absl::ResourceExhaustedError(nghttp2_strerror(result)));
  }
}

void ServerSession::Terminate(uint32_t code, absl::Status why) {
  if (status_.ok()) status_ = std::move(why);
  if (nghttp2_session_terminate_session(session_, code) != 0) broken_ = true;
}

bool ServerSession::done() const {
  return broken_ || (nghttp2_session_want_read(session_) == 0 &&
                     nghttp2_session_want_write(session_) == 0);
}

void ServerSession::Upgrade(const UpgradeRequest& request) {
  const int upgraded = nghttp2_session_upgrade2(
      session_, reinterpret_cast<const uint8_t*>(request.settings.data()),
      request.settings.size(), request.method == "HEAD", nullptr);
  if (upgraded != 0) {
    return Terminate(NGHTTP2_PROTOCOL_ERROR,
                     absl::InvalidArgumentError(nghttp2_strerror(upgraded)));
  }
  // nghttp2 has called OnFrame() unless the settings have values that they
  // must not have: then it says GOAWAY.
  if (!begun_) return;
  begun_ = false;  // the preface is still to come
  ServerStream& stream = host_.NewStream();
  stream.id_ = 1;
  closed_streams_.Open(1);
  Check(nghttp2_session_set_stream_user_data(session_, stream.id_, &stream));
  stream.body_ended_ = true;
  request.AddTo(stream.fields_);
  BeginRequest(stream);
}

void ServerSession::Receive(std::string_view bytes, MonotonicTime now) {
  now_ = now;
  size_t n_scanned = 0;
  size_t n_given = 0;
  while (n_scanned < bytes.size()) {
    n_scanned += scanner_.Scan(bytes.substr(n_scanned));
    if (scanner_.found() == FrameScanner::Found::kNothing) break;
    // What is found depends on the frames before it; nghttp2 acts on this one
    // when it has its last byte.
    if (!Give(bytes.substr(n_given, n_scanned - 1 - n_given))) return;
    n_given = n_scanned - 1;
    CheckFound();
  }
  if (Give(bytes.substr(n_given)) &&
      nghttp2_session_get_outbound_queue_size(session_) > kQueuedFrames) {
    Terminate(NGHTTP2_ENHANCE_YOUR_CALM,
              absl::ResourceExhaustedError(
                  "too many frames wait for the client to read them"));
  }
}

bool ServerSession::Give(std::string_view bytes) {
  if (!receives()) return false;
  const nghttp2_ssize n = nghttp2_session_mem_recv2(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (n >= 0) return true;
  uint32_t code = NGHTTP2_INTERNAL_ERROR;
  if (n == NGHTTP2_ERR_BAD_CLIENT_MAGIC) code = NGHTTP2_PROTOCOL_ERROR;
  if (n == NGHTTP2_ERR_FLOODED || n == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS)
    code = NGHTTP2_ENHANCE_YOUR_CALM;
  Terminate(code,
            absl::InvalidArgumentError(nghttp2_strerror(static_cast<int>(n))));
  return false;
}

void ServerSession::Send(std::string& to, size_t limit_bytes) {
  out_ = &to;
  out_limit_ = limit_bytes;
  while (!broken_ && to.size() < limit_bytes && has_output()) {
    const uint8_t* bytes = nullptr;
    const nghttp2_ssize n = nghttp2_session_mem_send2(session_, &bytes);
    if (n < 0) {
      broken_ = true;
      if (status_.ok()) {
        status_ =
            absl::ResourceExhaustedError(nghttp2_strerror(static_cast<int>(n)));
      }
    }
    if (n <= 0) break;
    to.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(n));
  }
  out_ = nullptr;
}

// --- What nghttp2 calls.

ServerStream* ServerSession::Find(int32_t id) const {
  return static_cast<ServerStream*>(
      nghttp2_session_get_stream_user_data(session_, id));
}

void ServerSession::CountReset() {
  if (resets_.Count(now_) > limits_.max_resets_per_second) {
    Terminate(NGHTTP2_ENHANCE_YOUR_CALM,
              absl::ResourceExhaustedError("too many streams were reset"));
  }
}

void ServerSession::CountControlFrame() {
  if (control_frames_.Count(now_) > limits_.max_control_frames_per_second) {
    Terminate(NGHTTP2_ENHANCE_YOUR_CALM,
              absl::ResourceExhaustedError("too many frames without content"));
  }
}

void ServerSession::CheckFound() {
  if (scanner_.found() == FrameScanner::Found::kViolation) {
    Terminate(NGHTTP2_PROTOCOL_ERROR,
              absl::InvalidArgumentError(scanner_.violation()));
  } else {
    CheckClosed(scanner_.stream_id());
  }
}

void ServerSession::CheckClosed(uint32_t id) {
  if (Find(static_cast<int32_t>(id)) != nullptr) return;
  const uint32_t error = closed_streams_.ErrorOf(id);
  if (error != NGHTTP2_NO_ERROR)
    Terminate(error, absl::InvalidArgumentError("a frame on a closed stream"));
}

// nghttp2 ignores HEADERS on streams that it has forgotten, and the priorities
// of RFC 7540 without another call.
void ServerSession::OnBeginFrame(const nghttp2_frame_hd& head) {
  if (head.type == NGHTTP2_HEADERS) {
    const auto id = static_cast<uint32_t>(head.stream_id);
    CheckClosed(id);
    if (id % 2 == 1) closed_streams_.Open(id);
  }
  if (head.type != NGHTTP2_PRIORITY) return;
  if (head.stream_id == 0) {
    Terminate(NGHTTP2_PROTOCOL_ERROR,
              absl::InvalidArgumentError("PRIORITY without a stream"));
  } else {
    CountControlFrame();
  }
}

void ServerSession::OnBeginHead(const nghttp2_frame& frame) {
  head_stream_ = frame.hd.stream_id;
  if (frame.headers.cat == NGHTTP2_HCAT_REQUEST) {
    ServerStream& stream = host_.NewStream();
    stream.id_ = frame.hd.stream_id;
    Check(nghttp2_session_set_stream_user_data(session_, stream.id_, &stream));
  } else if (ServerStream* stream = Find(frame.hd.stream_id)) {
    stream->fields_.BeginTrailers();
  }
}

void ServerSession::OnHead(ServerStream& stream, const nghttp2_frame& frame) {
  const bool at_end = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (frame.headers.cat != NGHTTP2_HCAT_REQUEST) {
    // Trailers, with which nghttp2 demands the end.
    stream.body_ended_ = true;
    return stream.OnBody();
  }
  stream.body_ended_ = at_end;
  stream.fields_.EndHead(/*has_body=*/!at_end);
  BeginRequest(stream);
}

void ServerSession::BeginRequest(ServerStream& stream) {
  ++n_requests_;
  free_window_updates_ += 2;
  if (!stream.head().headers.Has("priority")) {
    // Responses of equal urgency share the connection, unless the client wants
    // one after the other (RFC 9218).
    nghttp2_extpri priority;
    priority.urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY;
    priority.inc = 1;
    Check(nghttp2_session_change_extpri_stream_priority(
        session_, stream.id_, &priority, /*ignore_client_signal=*/0));
  }
  stream.OnRequest();
}

void ServerSession::OnFrame(const nghttp2_frame& frame) {
  const bool is_ack = (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0;
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      head_stream_ = 0;
      if (ServerStream* stream = Find(frame.hd.stream_id))
        OnHead(*stream, frame);
      break;
    case NGHTTP2_DATA:
      if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
        if (frame.hd.length == frame.data.padlen) CountControlFrame();
      } else if (ServerStream* stream = Find(frame.hd.stream_id)) {
        stream->body_ended_ = true;
        stream->OnBody();
      }
      break;
    case NGHTTP2_RST_STREAM:
      closed_streams_.End(static_cast<uint32_t>(frame.hd.stream_id));
      CountReset();
      break;
    case NGHTTP2_WINDOW_UPDATE:
      if (free_window_updates_ > 0) {
        --free_window_updates_;
      } else {
        CountControlFrame();
      }
      break;
    case NGHTTP2_PING:
      if (!is_ack) {
        CountControlFrame();
      } else if (std::equal(kShutdownPing.begin(), kShutdownPing.end(),
                            frame.ping.opaque_data)) {
        shutdown_acknowledged_ = shutdown_begun_;
      }
      break;
    case NGHTTP2_SETTINGS:
      begun_ = true;
      if (!is_ack) CountControlFrame();
      break;
    default:
      CountControlFrame();
      break;
  }
}

void ServerSession::OnData(int32_t id, std::string_view bytes) {
  ServerStream* stream = Find(id);
  if (stream == nullptr)
    return Check(nghttp2_session_consume(session_, id, bytes.size()));
  stream->body_.append(bytes);
  stream->OnBody();
}

void ServerSession::OnFrameSent(const nghttp2_frame& frame) {
  switch (frame.hd.type) {
    case NGHTTP2_GOAWAY:
      if (frame.goaway.error_code != NGHTTP2_NO_ERROR && status_.ok()) {
        status_ = absl::InvalidArgumentError(
            absl::StrCat("the client has violated HTTP/2: ",
                         nghttp2_http2_strerror(frame.goaway.error_code)));
      }
      return;
    case NGHTTP2_RST_STREAM:
      switch (frame.rst_stream.error_code) {
        case NGHTTP2_PROTOCOL_ERROR:
        case NGHTTP2_FLOW_CONTROL_ERROR:
        case NGHTTP2_STREAM_CLOSED:
        case NGHTTP2_FRAME_SIZE_ERROR:
          return CountReset();  // nghttp2's answer to what the client has sent
        default:
          return;
      }
    case NGHTTP2_DATA:
      if (frame.hd.length > 0) {
        free_window_updates_ =
            std::min(free_window_updates_ + kWindowUpdatesPerData,
                     kMostFreeWindowUpdates);
      }
      break;
    case NGHTTP2_HEADERS:
      break;
    default:
      return;
  }
  ServerStream* stream = Find(frame.hd.stream_id);
  if (stream == nullptr) return;
  if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
    stream->response_sent_ = true;
  if (stream->response_sent_ ||
      (frame.hd.type == NGHTTP2_DATA && stream->unsent_bytes() == 0)) {
    stream->OnSent();
  }
}

void ServerSession::OnStreamClosed(int32_t id, uint32_t code) {
  if (head_stream_ == id) head_stream_ = 0;
  if (nghttp2_session_get_stream_remote_close(session_, id) == 1)
    closed_streams_.End(static_cast<uint32_t>(id));
  if (ServerStream* stream = Find(id)) Close(*stream, code);
}

void ServerSession::Close(ServerStream& stream, uint32_t code) {
  stream.closed_ = true;
  stream.close_code_ = code;
  stream.unsent_.TakeBack();
  stream.OnClosed();
}

nghttp2_ssize ServerSession::OnReadSource(ServerStream& stream, size_t most,
                                          uint32_t& flags) {
  if (out_->size() >= out_limit_) return NGHTTP2_ERR_PAUSE;
  const size_t n = std::min(most, stream.unsent_bytes());
  if (n == 0 && !stream.response_ended_) return NGHTTP2_ERR_DEFERRED;
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (!stream.response_ended_ || n < stream.unsent_bytes())
    return static_cast<nghttp2_ssize>(n);
  flags |= NGHTTP2_DATA_FLAG_EOF;
  if (stream.trailers_to_send_ == nullptr) return static_cast<nghttp2_ssize>(n);
  flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
  const std::span<const nghttp2_nv> fields =
      fields_.Trailers(*stream.trailers_to_send_);
  const int submitted = nghttp2_submit_trailer(session_, stream.id_,
                                               fields.data(), fields.size());
  return submitted == 0 ? static_cast<nghttp2_ssize>(n) : submitted;
}

int ServerSession::OnSendData(int32_t id, std::string_view frame_head,
                              size_t n) {
  ServerStream* stream = Find(id);
  if (stream == nullptr || stream->unsent_bytes() < n)
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  out_->append(frame_head);
  stream->unsent_.Take(n, *out_);
  return 0;
}

// --- The end.

void ServerSession::BeginShutdown() {
  if (shutdown_begun_) return;
  shutdown_begun_ = true;
  Check(nghttp2_submit_shutdown_notice(session_));
  Check(nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, kShutdownPing.data()));
}

void ServerSession::EndShutdown() {
  if (shutdown_ended_) return;
  shutdown_ended_ = true;
  Check(nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(session_),
                              NGHTTP2_NO_ERROR, nullptr, 0));
}

}  // namespace ringway::http::internal
