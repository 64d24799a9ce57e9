// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http2/client/client_session.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/http/http2/session_callbacks.h"
#include "ringway/http/http2/session_option.h"

namespace ringway::http::internal {

namespace {

// Frames that wait to be sent while the server does not read. What servers
// cause of them is small.
constexpr size_t kQueuedFrames = 10'000;
constexpr uint32_t kWindowUpdatesPerData = 4;
constexpr uint32_t kMostFreeWindowUpdates = 10'000;

}  // namespace

ClientSession::ClientSession(const ResponseLimits& response,
                             const Http2ClientLimits& limits)
    : limits_(limits) {
  const SessionOption option = MakeSessionOption();
  if (nghttp2_session_client_new2(&session_,
                                  SessionCallbacks<ClientSession>::Get(), this,
                                  option.get()) != 0) {
    throw std::bad_alloc();
  }
  const std::array<nghttp2_settings_entry, 4> settings = {{
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
       HeaderListBytes(response.header_bytes, response.header_count)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  }};
  Check(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(),
                                settings.size()));
  Check(nghttp2_session_set_local_window_size(
      session_, NGHTTP2_FLAG_NONE, 0,
      static_cast<int32_t>(limits.connection_window_bytes)));
}

ClientSession::~ClientSession() { nghttp2_session_del(session_); }

void ClientSession::Check(int result) {
  if (nghttp2_is_fatal(result) != 0) {
    Terminate(NGHTTP2_INTERNAL_ERROR,
              absl::ResourceExhaustedError(nghttp2_strerror(result)));
  }
}

void ClientSession::Terminate(uint32_t code, absl::Status why) {
  if (status_.ok()) status_ = std::move(why);
  shutdown_ = true;
  if (nghttp2_session_terminate_session(session_, code) != 0) broken_ = true;
}

void ClientSession::EndShutdown() {
  if (shutdown_) return;
  shutdown_ = true;
  Check(nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR,
                              nullptr, 0));
}

bool ClientSession::done() const {
  return broken_ || (nghttp2_session_want_read(session_) == 0 &&
                     nghttp2_session_want_write(session_) == 0);
}

bool ClientSession::accepts() const {
  return !broken_ && !shutdown_ && status_.ok() &&
         nghttp2_session_check_request_allowed(session_) != 0;
}

void ClientSession::Receive(std::string_view bytes, MonotonicTime now) {
  if (broken_ || nghttp2_session_want_read(session_) == 0) return;
  now_ = now;
  const nghttp2_ssize n = nghttp2_session_mem_recv2(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (n < 0) {
    const std::string_view what = nghttp2_strerror(static_cast<int>(n));
    if (n == NGHTTP2_ERR_FLOODED || n == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) {
      Terminate(NGHTTP2_ENHANCE_YOUR_CALM, absl::ResourceExhaustedError(what));
    } else {
      Terminate(NGHTTP2_INTERNAL_ERROR, absl::DataLossError(what));
    }
  } else if (nghttp2_session_get_outbound_queue_size(session_) >
             kQueuedFrames) {
    Terminate(NGHTTP2_ENHANCE_YOUR_CALM,
              absl::ResourceExhaustedError(
                  "too many frames wait for the server to read them"));
  }
}

void ClientSession::Send(std::string& to, size_t limit_bytes) {
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

ClientStream* ClientSession::Find(int32_t id) const {
  return static_cast<ClientStream*>(
      nghttp2_session_get_stream_user_data(session_, id));
}

void ClientSession::CountControlFrame() {
  if (control_frames_.Count(now_) > limits_.max_control_frames_per_second) {
    Terminate(
        NGHTTP2_ENHANCE_YOUR_CALM,
        absl::ResourceExhaustedError(
            "more than Http2ClientLimits::max_control_frames_per_second"));
  }
}

// nghttp2 ignores the priorities of RFC 7540 without another call, and would
// take a push as long as the server has not confirmed that it must not.
void ClientSession::OnBeginFrame(const nghttp2_frame_hd& head) {
  if (head.type == NGHTTP2_PRIORITY) CountControlFrame();
  if (head.type == NGHTTP2_PUSH_PROMISE) {
    Terminate(NGHTTP2_PROTOCOL_ERROR,
              absl::DataLossError("the server has violated HTTP/2: a push"));
  }
}

void ClientSession::OnBeginHead(const nghttp2_frame& frame) {
  ClientStream* stream = Find(frame.hd.stream_id);
  if (stream == nullptr) return;
  if (stream->head_done_) {
    stream->fields_.BeginTrailers();
  } else {
    stream->fields_.BeginHead();
  }
}

void ClientSession::CheckFields(ClientStream& stream) {
  if (stream.fields_.error().ok()) return;
  stream.Fail(stream.fields_.error());
  Reset(stream);
}

void ClientSession::OnHead(ClientStream& stream, const nghttp2_frame& frame) {
  const bool at_end = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (!stream.head_done_) {
    const int code = stream.head().status_code;
    stream.head_done_ = stream.fields_.EndHead(/*has_body=*/!at_end);
    free_window_updates_ += 2;
    if (!stream.head_done_ && code == 100) stream.continued_ = true;
  }
  CheckFields(stream);
  if (at_end && stream.error_.ok()) stream.body_ended_ = true;
  stream.OnChange();
}

void ClientSession::OnFrame(const nghttp2_frame& frame) {
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      if (ClientStream* stream = Find(frame.hd.stream_id))
        OnHead(*stream, frame);
      break;
    case NGHTTP2_DATA:
      if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
        if (frame.hd.length == frame.data.padlen) CountControlFrame();
      } else if (ClientStream* stream = Find(frame.hd.stream_id)) {
        if (stream->error_.ok()) stream->body_ended_ = true;
        stream->OnChange();
      }
      break;
    case NGHTTP2_WINDOW_UPDATE:
      if (free_window_updates_ > 0) {
        --free_window_updates_;
      } else {
        CountControlFrame();
      }
      break;
    default:
      CountControlFrame();
      break;
  }
}

void ClientSession::OnData(int32_t id, std::string_view bytes) {
  ClientStream* stream = Find(id);
  if (stream == nullptr)
    return Check(nghttp2_session_consume(session_, id, bytes.size()));
  stream->body_.append(bytes);
  stream->OnChange();
}

void ClientSession::OnFrameSent(const nghttp2_frame& frame) {
  ClientStream* stream = Find(frame.hd.stream_id);
  switch (frame.hd.type) {
    case NGHTTP2_GOAWAY:
      if (frame.goaway.error_code != NGHTTP2_NO_ERROR && status_.ok()) {
        status_ = absl::DataLossError(
            absl::StrCat("the server has violated HTTP/2: ",
                         nghttp2_http2_strerror(frame.goaway.error_code)));
      }
      return;
    case NGHTTP2_RST_STREAM:
      // nghttp2's answer to what the server has sent.
      if (stream != nullptr && !stream->reset_) {
        stream->Fail(absl::DataLossError(
            absl::StrCat("the response is malformed: ",
                         nghttp2_http2_strerror(frame.rst_stream.error_code))));
      }
      return;
    case NGHTTP2_DATA:
      if (frame.hd.length > 0) {
        free_window_updates_ =
            std::min(free_window_updates_ + kWindowUpdatesPerData,
                     kMostFreeWindowUpdates);
      }
      break;
    case NGHTTP2_HEADERS:
      if (stream != nullptr && !stream->opened_) {
        stream->opened_ = true;
        stream->OnChange();
      }
      break;
    default:
      return;
  }
  if (stream == nullptr) return;
  if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
    stream->request_sent_ = true;
  if (stream->request_sent_ ||
      (frame.hd.type == NGHTTP2_DATA && stream->unsent_bytes() == 0)) {
    stream->OnSent();
  }
}

void ClientSession::OnStreamClosed(int32_t id, uint32_t code) {
  ClientStream* stream = Find(id);
  if (stream == nullptr) return;
  if (code == NGHTTP2_REFUSED_STREAM && !stream->head_done_)
    stream->refused_ = true;
  if (!stream->body_ended_) {
    stream->Fail(status_.ok() ? absl::UnavailableError(absl::StrCat(
                                    "the server has reset the request: ",
                                    nghttp2_http2_strerror(code)))
                              : status_);
  }
  Close(*stream);
}

void ClientSession::Close(ClientStream& stream) {
  stream.closed_ = true;
  stream.unsent_.TakeBack();
  stream.OnClosed();
}

nghttp2_ssize ClientSession::OnReadSource(ClientStream& stream, size_t most,
                                          uint32_t& flags) {
  if (out_->size() >= out_limit_) return NGHTTP2_ERR_PAUSE;
  const size_t n = std::min(most, stream.unsent_bytes());
  if (n == 0 && !stream.request_ended_) return NGHTTP2_ERR_DEFERRED;
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (!stream.request_ended_ || n < stream.unsent_bytes())
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

int ClientSession::OnSendData(int32_t id, std::string_view frame_head,
                              size_t n) {
  ClientStream* stream = Find(id);
  if (stream == nullptr || stream->unsent_bytes() < n)
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  out_->append(frame_head);
  stream->unsent_.Take(n, *out_);
  return 0;
}

// --- Streams.

bool ClientSession::Request(ClientStream& stream,
                            const OutgoingRequest& request, bool has_body) {
  RINGWAY_CHECK(stream.id_ == 0, "a stream has two requests");
  if (!accepts()) return false;
  const std::span<const nghttp2_nv> fields = fields_.Head(request);
  const nghttp2_data_provider2 body =
      SessionCallbacks<ClientSession>::BodySource();
  const int32_t id =
      nghttp2_submit_request2(session_, nullptr, fields.data(), fields.size(),
                              has_body ? &body : nullptr, &stream);
  if (id < 0) {
    Check(id);
    return false;
  }
  stream.id_ = id;
  stream.request_ended_ = !has_body;
  return true;
}

bool ClientSession::Give(ClientStream& stream,
                         std::span<const std::byte> bytes) {
  if (stream.closed_ || bytes.empty()) return true;
  RINGWAY_CHECK(!stream.unsent_.lent() && !stream.request_ended_,
                "bytes of a request in the wrong order");
  const bool copied = stream.unsent_.Give(bytes);
  Check(nghttp2_session_resume_data(session_, stream.id_));
  return copied;
}

void ClientSession::TakeBack(ClientStream& stream) {
  stream.unsent_.TakeBack();
  stream.trailers_to_send_ = nullptr;
}

void ClientSession::End(ClientStream& stream, const Headers& trailers) {
  if (stream.closed_ || stream.request_ended_) return;
  stream.request_ended_ = true;
  if (!trailers.empty()) stream.trailers_to_send_ = &trailers;
  Check(nghttp2_session_resume_data(session_, stream.id_));
}

size_t ClientSession::ReadBody(ClientStream& stream, std::span<std::byte> to) {
  const size_t n = std::min(to.size(), stream.unread_bytes());
  if (n == 0) return 0;
  memcpy(to.data(), stream.body_.data() + stream.n_read_, n);
  stream.n_read_ += n;
  if (stream.n_read_ == stream.body_.size()) {
    stream.body_.clear();
    stream.n_read_ = 0;
  } else if (stream.n_read_ > stream.body_.size() / 2) {
    stream.body_.erase(0, stream.n_read_);
    stream.n_read_ = 0;
  }
  Check(nghttp2_session_consume(session_, stream.id_, n));
  return n;
}

void ClientSession::Reset(ClientStream& stream) {
  if (stream.closed_ || stream.id_ == 0) return;
  stream.reset_ = true;
  Check(nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id_,
                                  NGHTTP2_CANCEL));
}

void ClientSession::Abandon(ClientStream& stream, absl::Status why) {
  if (stream.closed_) return;
  if (stream.id_ != 0)
    Check(nghttp2_session_set_stream_user_data(session_, stream.id_, nullptr));
  if (!stream.body_ended_) stream.Fail(std::move(why));
  Close(stream);
}

void ClientSession::Release(ClientStream& stream) {
  if (stream.id_ == 0) return;
  if (const size_t n = stream.unread_bytes(); n > 0)
    Check(nghttp2_session_consume_connection(session_, n));
  if (!stream.closed_)
    Check(nghttp2_session_set_stream_user_data(session_, stream.id_, nullptr));
}

}  // namespace ringway::http::internal
