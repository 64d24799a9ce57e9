// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http2/testing/session_for_test.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "ringway/http/http2/client_preface.h"

namespace ringway::http::testing {

void StreamForTest::OnRequest() {
  requested = true;
  ++owner_.n_requests;
  owner_.on_request(*this);
}

void StreamForTest::OnBody() { owner_.on_body(*this); }

void StreamForTest::OnSent() { owner_.on_sent(*this); }

internal::ServerStream& SessionForTest::NewStream() {
  ++n_streams;
  // The session gives it an id when this has returned.
  if (newest_ != nullptr) {
    const int32_t id = newest_->id();
    streams[id] = std::move(newest_);
  }
  newest_ = std::make_unique<StreamForTest>(request_limits, *this);
  return *newest_;
}

void SessionForTest::Begin() {
  Receive(internal::kClientPreface);
  Receive(Frame{kSettings, 0, 0, ""});
}

void SessionForTest::Receive(std::string_view bytes) {
  constexpr size_t kPiece = size_t{64} * 1024;
  while (!bytes.empty()) {
    const size_t n = std::min(bytes.size(), kPiece);
    session.Receive(bytes.substr(0, n), now);
    bytes.remove_prefix(n);
  }
  if (newest_ != nullptr) {
    const int32_t id = newest_->id();
    streams[id] = std::move(newest_);
  }
}

std::string SessionForTest::Send() {
  std::string all;
  while (session.has_output()) {
    std::string out;
    session.Send(out, size_t{64} * 1024);
    if (out.empty()) break;
    all += out;
  }
  sent += all;
  return all;
}

void SessionForTest::Answer(StreamForTest& stream) { AnswerWith(stream, "ok"); }

void SessionForTest::AnswerWith(StreamForTest& stream, std::string body) {
  stream.response = std::move(body);
  internal::AddedFields added;
  added.content_length = stream.response.size();
  session.Respond(stream, 200, Headers(), added, /*has_body=*/true);
  session.Give(stream, std::as_bytes(std::span(stream.response)));
  session.End(stream, stream.trailers_to_send);
}

void SessionForTest::Read(StreamForTest& stream, size_t most) {
  std::array<std::byte, 4096> piece;
  while (most > 0) {
    const size_t n = session.ReadBody(
        stream, std::span(piece).first(std::min(most, piece.size())));
    if (n == 0) return;
    stream.body.append(reinterpret_cast<const char*>(piece.data()), n);
    most -= n;
  }
}

uint32_t SessionForTest::GoawayCode() {
  Send();
  uint32_t code = kNone;
  for (const Frame& frame : Parse(sent)) {
    if (frame.type == kGoaway) code = FromBig(frame.payload.substr(4, 4));
  }
  return code;
}

uint32_t SessionForTest::ResetCode(uint32_t id) {
  Send();
  for (const Frame& frame : Parse(sent)) {
    if (frame.type == kRstStream && frame.stream == id)
      return FromBig(frame.payload);
  }
  return kNone;
}

}  // namespace ringway::http::testing
