// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/http2_protocol.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/message/method.h"
#include "ringway/tools/loadgen/payload.h"

namespace ringway::loadgen {
namespace {

// Large enough that a response never waits for a window.
constexpr int32_t kWindowBytes = (1 << 30) - 1;

// So many bytes are written at once, and a frame more.
constexpr size_t kSendBufferBytes = 64 * 1024;

// A connection whose stream numbers are used up to here takes no more.
constexpr uint32_t kLastStream = (uint32_t{1} << 31) - 1'000'000;

std::string_view Text(const uint8_t* bytes, size_t n) {
  return {reinterpret_cast<const char*>(bytes), n};
}

void CheckMemory(int result) {
  if (result == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
}

}  // namespace

// What nghttp2 calls.
struct Http2Protocol::Callbacks {
  static Http2Protocol& Of(void* self) {
    return *static_cast<Http2Protocol*>(self);
  }
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame,
                      const uint8_t* name, size_t n_name, const uint8_t* value,
                      size_t n_value, uint8_t, void* self) {
    if (Text(name, n_name) == ":status")
      Of(self).OnStatus(frame->hd.stream_id, Text(value, n_value));
    return 0;
  }
  static int OnData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* bytes,
                    size_t n, void* self) {
    Of(self).OnData(id, Text(bytes, n));
    return 0;
  }
  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type == NGHTTP2_SETTINGS) Of(self).OnSettings();
    if (frame->hd.type == NGHTTP2_GOAWAY) Of(self).going_away_ = true;
    return 0;
  }
  static int OnClosed(nghttp2_session*, int32_t id, uint32_t code, void* self) {
    Of(self).OnClosed(id, code);
    return 0;
  }
  // The next bytes of a request's body.
  static nghttp2_ssize OnRead(nghttp2_session*, int32_t, uint8_t* to,
                              size_t most, uint32_t* flags,
                              nghttp2_data_source* from, void* self) {
    const std::string& body = Of(self).body_;
    Stream& stream = *static_cast<Stream*>(from->ptr);
    const size_t n = std::min(most, body.size() - stream.n_sent);
    std::copy_n(body.data() + stream.n_sent, n, to);
    stream.n_sent += n;
    if (stream.n_sent == body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<nghttp2_ssize>(n);
  }

  static nghttp2_session_callbacks* Make() {
    nghttp2_session_callbacks* made = nullptr;
    CheckMemory(nghttp2_session_callbacks_new(&made));
    nghttp2_session_callbacks_set_on_header_callback(made, &OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, &OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, &OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, &OnClosed);
    return made;
  }
  // The same for all; never destroyed.
  static const nghttp2_session_callbacks* Get() {
    static const nghttp2_session_callbacks* const all = Make();
    return all;
  }
};

Http2Protocol::Http2Protocol(const HttpRequest& request, size_t streams,
                             bool verify, ExpectedResponse& expected)
    : verify_(verify),
      compare_bodies_(request.compare_bodies),
      expected_(expected),
      body_(request.body_bytes, '\0'),
      streams_(streams) {
  FillRequest(/*connection=*/0, /*sequence=*/0,
              std::as_writable_bytes(std::span(body_)));
  free_.reserve(streams);
  MakeFields(request);
  Begin();
}

void Http2Protocol::MakeFields(const HttpRequest& request) {
  AddField(":method", http::MethodName(request.method));
  AddField(":scheme", request.secure ? "https" : "http");
  AddField(":authority",
           request.headers.Find("host").value_or(request.authority));
  AddField(":path", request.target);
  for (const http::Header header : request.headers) {
    if (http::EqualsIgnoringCase(header.name, "host")) continue;
    AddField(absl::AsciiStrToLower(
                 absl::string_view(header.name.data(), header.name.size())),
             header.value);
  }
  if (!body_.empty()) AddField("content-length", absl::StrCat(body_.size()));
  // The texts do not move any more.
  for (size_t i = 0; i < texts_.size(); i += 2) {
    nghttp2_nv field = {};
    field.name = reinterpret_cast<uint8_t*>(texts_[i].data());
    field.namelen = texts_[i].size();
    field.value = reinterpret_cast<uint8_t*>(texts_[i + 1].data());
    field.valuelen = texts_[i + 1].size();
    field.flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
    fields_.push_back(field);
    request_bytes_ += field.namelen + field.valuelen;
  }
  request_bytes_ += body_.size();
}

void Http2Protocol::AddField(std::string_view name, std::string_view value) {
  texts_.emplace_back(name);
  texts_.emplace_back(value);
}

void Http2Protocol::Begin() {
  // Streams of an earlier connection end without a word.
  session_.reset();
  free_.clear();
  for (Stream& stream : streams_) free_.push_back(&stream);
  pending_.clear();
  any_answered_ = false;
  going_away_ = false;
  nghttp2_session* session = nullptr;
  CheckMemory(nghttp2_session_client_new(&session, Callbacks::Get(), this));
  session_.reset(session);
  const std::array<nghttp2_settings_entry, 3> settings = {{
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowBytes},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  }};
  CheckMemory(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE,
                                      settings.data(), settings.size()));
  CheckMemory(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE,
                                                    0, kWindowBytes));
  OnSettings();
}

size_t Http2Protocol::room() const {
  if (going_away_) return 0;
  return most_streams_ - std::min(most_streams_, in_flight());
}

std::span<const std::byte> Http2Protocol::Fill(size_t n,
                                               RequestSource& source) {
  source_ = &source;
  for (size_t i = 0; i < n; ++i) Submit();
  outgoing_.clear();
  outgoing_.swap(pending_);
  MoveOutput(outgoing_);
  source_ = nullptr;
  return std::as_bytes(std::span(outgoing_));
}

void Http2Protocol::MoveOutput(std::string& to) {
  while (to.size() < kSendBufferBytes) {
    const uint8_t* bytes = nullptr;
    const nghttp2_ssize n_bytes =
        nghttp2_session_mem_send2(session_.get(), &bytes);
    CheckMemory(static_cast<int>(n_bytes));
    if (n_bytes <= 0) break;
    to.append(Text(bytes, static_cast<size_t>(n_bytes)));
  }
}

void Http2Protocol::Submit() {
  Stream& stream = *free_.back();
  free_.pop_back();
  stream = Stream();
  stream.number = n_requests_++;
  nghttp2_data_provider2 body = {};
  body.source.ptr = &stream;
  body.read_callback = &Callbacks::OnRead;
  const int32_t id = nghttp2_submit_request2(
      session_.get(), nullptr, fields_.data(), fields_.size(),
      body_.empty() ? nullptr : &body, &stream);
  CheckMemory(id);
  if (id < 0) {
    const uint64_t number = stream.number;
    free_.push_back(&stream);
    source_->OnFailed(number, absl::UnavailableError(nghttp2_strerror(id)));
    going_away_ = true;
  } else if (static_cast<uint32_t>(id) > kLastStream) {
    going_away_ = true;
  }
}

absl::Status Http2Protocol::Take(std::span<const std::byte> bytes,
                                 RequestSource& source) {
  source_ = &source;
  const nghttp2_ssize taken = nghttp2_session_mem_recv2(
      session_.get(), reinterpret_cast<const uint8_t*>(bytes.data()),
      bytes.size());
  CheckMemory(static_cast<int>(taken));
  // Only with its GOAWAY written nghttp2 tells that the connection has failed.
  MoveOutput(pending_);
  source_ = nullptr;
  if (taken < 0) {
    return absl::DataLossError(
        absl::StrCat("HTTP/2: ", nghttp2_strerror(static_cast<int>(taken))));
  }
  const bool ended = nghttp2_session_want_read(session_.get()) == 0;
  if (ended && (!going_away_ || in_flight() > 0))
    return absl::DataLossError("HTTP/2: the server broke the protocol");
  return absl::OkStatus();
}

absl::Status Http2Protocol::TakeEnd(RequestSource&) {
  if (in_flight() > 0 || !any_answered_) {
    return absl::OutOfRangeError(
        absl::StrCat("the server closed the connection, and ", in_flight(),
                     " requests have no response"));
  }
  going_away_ = true;
  return absl::OkStatus();
}

void Http2Protocol::OnSettings() {
  most_streams_ = std::min<size_t>(
      streams_.size(),
      nghttp2_session_get_remote_settings(
          session_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS));
}

Http2Protocol::Stream* Http2Protocol::Find(int32_t id) const {
  return static_cast<Stream*>(
      nghttp2_session_get_stream_user_data(session_.get(), id));
}

// An informational response has a status, too; that of the last head counts.
void Http2Protocol::OnStatus(int32_t id, std::string_view value) {
  Stream* const stream = Find(id);
  if (stream == nullptr) return;
  if (!absl::SimpleAtoi(absl::string_view(value.data(), value.size()),
                        &stream->status_code)) {
    stream->status_code = 0;
  }
}

void Http2Protocol::OnData(int32_t id, std::string_view bytes) {
  Stream* const stream = Find(id);
  if (stream == nullptr) return;
  stream->n_body += bytes.size();
  if (compare_bodies_) stream->hash.Add(bytes);
}

void Http2Protocol::OnClosed(int32_t id, uint32_t code) {
  Stream* const stream = Find(id);
  // Null: the whole session is being destroyed, or it was refused.
  if (stream == nullptr || source_ == nullptr) return;
  const absl::Status verdict = VerdictOn(*stream, code);
  const uint64_t number = stream->number;
  free_.push_back(stream);
  any_answered_ = true;
  if (verdict.ok()) [[likely]] {
    source_->OnAnswered(number);
  } else {
    source_->OnFailed(number, verdict);
  }
}

absl::Status Http2Protocol::VerdictOn(const Stream& stream, uint32_t code) {
  if (code != NGHTTP2_NO_ERROR) {
    return ErrnoToStatus(
        ECONNRESET,
        absl::StrCat("a stream was reset, ", nghttp2_http2_strerror(code)));
  }
  if (!verify_) return absl::OkStatus();
  return expected_.Check(stream.status_code, stream.n_body,
                         stream.hash.value());
}

}  // namespace ringway::loadgen
