// SPDX-License-Identifier: Apache-2.0
//
// What ServerSession does for the owners of streams.

#include <algorithm>
#include <cstring>

#include "ringway/core/check.h"
#include "ringway/http/http2/server_session.h"
#include "ringway/http/http2/session_callbacks.h"

namespace ringway::http::internal {

size_t ServerSession::ReadBody(ServerStream& stream, std::span<std::byte> to) {
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

void ServerSession::Inform(ServerStream& stream, int status_code,
                           const Headers& headers) {
  if (stream.closed_ || stream.response_begun_) return;
  const std::span<const nghttp2_nv> fields =
      fields_.Head(status_code, headers, AddedFields());
  Check(nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id_, nullptr,
                               fields.data(), fields.size(), nullptr));
}

void ServerSession::Respond(ServerStream& stream, int status_code,
                            const Headers& headers, const AddedFields& added,
                            bool has_body) {
  if (stream.closed_) return;
  RINGWAY_CHECK(!stream.response_begun_, "a stream got two responses");
  stream.response_begun_ = true;
  stream.response_ended_ = !has_body;
  const std::span<const nghttp2_nv> fields =
      fields_.Head(status_code, headers, added);
  const nghttp2_data_provider2 body =
      SessionCallbacks<ServerSession>::BodySource();
  Check(nghttp2_submit_response2(session_, stream.id_, fields.data(),
                                 fields.size(), has_body ? &body : nullptr));
}

bool ServerSession::Give(ServerStream& stream,
                         std::span<const std::byte> bytes) {
  if (stream.closed_ || bytes.empty()) return true;
  RINGWAY_CHECK(!stream.unsent_.lent() && stream.response_begun_ &&
                    !stream.response_ended_,
                "bytes of a response in the wrong order");
  const bool copied = stream.unsent_.Give(bytes);
  Check(nghttp2_session_resume_data(session_, stream.id_));
  return copied;
}

void ServerSession::TakeBack(ServerStream& stream) {
  stream.unsent_.TakeBack();
}

void ServerSession::End(ServerStream& stream, const Headers& trailers) {
  if (stream.closed_ || stream.response_ended_) return;
  stream.response_ended_ = true;
  if (!trailers.empty()) stream.trailers_to_send_ = &trailers;
  Check(nghttp2_session_resume_data(session_, stream.id_));
}

void ServerSession::Reset(ServerStream& stream, uint32_t code) {
  if (stream.closed_) return;
  Check(
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id_, code));
}

void ServerSession::Abandon(ServerStream& stream) {
  if (stream.closed_) return;
  Check(nghttp2_session_set_stream_user_data(session_, stream.id_, nullptr));
  Close(stream, NGHTTP2_CANCEL);
}

void ServerSession::Release(ServerStream& stream) {
  if (const size_t n = stream.unread_bytes(); n > 0)
    Check(nghttp2_session_consume_connection(session_, n));
  if (!stream.closed_)
    Check(nghttp2_session_set_stream_user_data(session_, stream.id_, nullptr));
}

}  // namespace ringway::http::internal
