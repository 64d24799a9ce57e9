// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http2/session_callbacks.h"

#include <new>
#include <string_view>

#include "ringway/http/http2/server_session.h"
#include "ringway/http/http2/server_stream.h"

namespace ringway::http::internal {

namespace {

constexpr size_t kFrameHeadBytes = 9;

std::string_view Text(const uint8_t* bytes, size_t n) {
  return {reinterpret_cast<const char*>(bytes), n};
}

}  // namespace

template <typename Body>
int SessionCallbacks::Run(void* session, Body body) {
  try {
    body(*static_cast<ServerSession*>(session));
    return 0;
  } catch (const std::bad_alloc&) {
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
}

int SessionCallbacks::OnBeginFrame(nghttp2_session* /*session*/,
                                   const nghttp2_frame_hd* head, void* self) {
  return Run(self,
             [&](ServerSession& session) { session.OnBeginFrame(*head); });
}

int SessionCallbacks::OnBeginHeaders(nghttp2_session* /*session*/,
                                     const nghttp2_frame* frame, void* self) {
  return Run(self,
             [&](ServerSession& session) { session.OnBeginHead(*frame); });
}

int SessionCallbacks::OnHeader(nghttp2_session* /*session*/,
                               const nghttp2_frame* frame, const uint8_t* name,
                               size_t n_name, const uint8_t* value,
                               size_t n_value, uint8_t /*flags*/, void* self) {
  return Run(self, [&](ServerSession& session) {
    if (ServerStream* stream = session.Find(frame->hd.stream_id))
      stream->fields_.Add(Text(name, n_name), Text(value, n_value));
  });
}

// Without this, nghttp2 would leave the field out (RFC 9113, section 8.2.1).
int SessionCallbacks::OnInvalidHeader(nghttp2_session* /*session*/,
                                      const nghttp2_frame* /*frame*/,
                                      nghttp2_rcbuf* /*name*/,
                                      nghttp2_rcbuf* /*value*/,
                                      uint8_t /*flags*/, void* /*self*/) {
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

int SessionCallbacks::OnFrame(nghttp2_session* /*session*/,
                              const nghttp2_frame* frame, void* self) {
  return Run(self, [&](ServerSession& session) { session.OnFrame(*frame); });
}

int SessionCallbacks::OnData(nghttp2_session* /*session*/, uint8_t /*flags*/,
                             int32_t id, const uint8_t* bytes, size_t n,
                             void* self) {
  return Run(self, [&](ServerSession& session) {
    session.OnData(id, Text(bytes, n));
  });
}

int SessionCallbacks::OnFrameSent(nghttp2_session* /*session*/,
                                  const nghttp2_frame* frame, void* self) {
  return Run(self,
             [&](ServerSession& session) { session.OnFrameSent(*frame); });
}

int SessionCallbacks::OnStreamClosed(nghttp2_session* /*session*/, int32_t id,
                                     uint32_t code, void* self) {
  return Run(self,
             [&](ServerSession& session) { session.OnStreamClosed(id, code); });
}

nghttp2_ssize SessionCallbacks::OnReadSource(nghttp2_session* /*session*/,
                                             int32_t id, uint8_t* /*to*/,
                                             size_t most, uint32_t* flags,
                                             nghttp2_data_source* /*source*/,
                                             void* self) {
  nghttp2_ssize n = NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const int ran = Run(self, [&](ServerSession& session) {
    if (ServerStream* stream = session.Find(id))
      n = session.OnReadSource(*stream, most, *flags);
  });
  return ran == 0 ? n : ran;
}

int SessionCallbacks::OnSendData(nghttp2_session* /*session*/,
                                 nghttp2_frame* frame,
                                 const uint8_t* frame_head, size_t n,
                                 nghttp2_data_source* /*source*/, void* self) {
  int sent = 0;
  const int ran = Run(self, [&](ServerSession& session) {
    sent = session.OnSendData(frame->hd.stream_id,
                              Text(frame_head, kFrameHeadBytes), n);
  });
  return ran == 0 ? sent : ran;
}

nghttp2_session_callbacks* SessionCallbacks::Make() {
  nghttp2_session_callbacks* made = nullptr;
  if (nghttp2_session_callbacks_new(&made) != 0) throw std::bad_alloc();
  nghttp2_session_callbacks_set_on_begin_frame_callback(made, &OnBeginFrame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(made,
                                                          &OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(made, &OnHeader);
  nghttp2_session_callbacks_set_on_invalid_header_callback2(made,
                                                            &OnInvalidHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(made, &OnFrame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, &OnData);
  nghttp2_session_callbacks_set_on_frame_send_callback(made, &OnFrameSent);
  nghttp2_session_callbacks_set_on_stream_close_callback(made, &OnStreamClosed);
  nghttp2_session_callbacks_set_send_data_callback(made, &OnSendData);
  return made;
}

const nghttp2_session_callbacks* SessionCallbacks::Get() {
  static const nghttp2_session_callbacks* const made = Make();
  return made;
}

nghttp2_data_provider2 SessionCallbacks::BodySource() {
  nghttp2_data_provider2 source = {};
  source.read_callback = &OnReadSource;
  return source;
}

}  // namespace ringway::http::internal
