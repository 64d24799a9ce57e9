// SPDX-License-Identifier: Apache-2.0
//
// SessionCallbacks: the C functions that nghttp2 calls for a ServerSession or a
// ClientSession.

#ifndef RINGWAY_HTTP_HTTP2_SESSION_CALLBACKS_H_
#define RINGWAY_HTTP_HTTP2_SESSION_CALLBACKS_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#include "nghttp2/nghttp2.h"

namespace ringway::http::internal {

// A friend of the session and its streams, whose functions it calls. nghttp2 is
// C, so exceptions, of failed allocations, end here and fail the session.
template <typename Session>
class SessionCallbacks {
 public:
  // Of all sessions. Throws std::bad_alloc at the first call.
  static const nghttp2_session_callbacks* Get() {
    static const nghttp2_session_callbacks* const made = Make();
    return made;
  }
  // For the body of any message.
  static nghttp2_data_provider2 BodySource() {
    nghttp2_data_provider2 source = {};
    source.read_callback = &OnReadSource;
    return source;
  }

 private:
  static constexpr size_t kFrameHeadBytes = 9;

  static std::string_view Text(const uint8_t* bytes, size_t n) {
    return {reinterpret_cast<const char*>(bytes), n};
  }

  template <typename Body>
  static int Run(void* session, Body body) {
    try {
      body(*static_cast<Session*>(session));
      return 0;
    } catch (const std::bad_alloc&) {
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
  }

  static int OnBeginFrame(nghttp2_session* /*session*/,
                          const nghttp2_frame_hd* head, void* self) {
    return Run(self, [&](Session& session) { session.OnBeginFrame(*head); });
  }

  static int OnBeginHeaders(nghttp2_session* /*session*/,
                            const nghttp2_frame* frame, void* self) {
    return Run(self, [&](Session& session) { session.OnBeginHead(*frame); });
  }

  static int OnHeader(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                      const uint8_t* name, size_t n_name, const uint8_t* value,
                      size_t n_value, uint8_t /*flags*/, void* self) {
    return Run(self, [&](Session& session) {
      if (auto* stream = session.Find(frame->hd.stream_id))
        stream->fields_.Add(Text(name, n_name), Text(value, n_value));
    });
  }

  // Without this, nghttp2 would leave the field out (RFC 9113, section 8.2.1).
  static int OnInvalidHeader(nghttp2_session* /*session*/,
                             const nghttp2_frame* /*frame*/,
                             nghttp2_rcbuf* /*name*/, nghttp2_rcbuf* /*value*/,
                             uint8_t /*flags*/, void* /*self*/) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int OnFrame(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                     void* self) {
    return Run(self, [&](Session& session) { session.OnFrame(*frame); });
  }

  static int OnData(nghttp2_session* /*session*/, uint8_t /*flags*/, int32_t id,
                    const uint8_t* bytes, size_t n, void* self) {
    return Run(self,
               [&](Session& session) { session.OnData(id, Text(bytes, n)); });
  }

  static int OnFrameSent(nghttp2_session* /*session*/,
                         const nghttp2_frame* frame, void* self) {
    return Run(self, [&](Session& session) { session.OnFrameSent(*frame); });
  }

  static int OnStreamClosed(nghttp2_session* /*session*/, int32_t id,
                            uint32_t code, void* self) {
    return Run(self,
               [&](Session& session) { session.OnStreamClosed(id, code); });
  }

  static nghttp2_ssize OnReadSource(nghttp2_session* /*session*/, int32_t id,
                                    uint8_t* /*to*/, size_t most,
                                    uint32_t* flags,
                                    nghttp2_data_source* /*source*/,
                                    void* self) {
    nghttp2_ssize n = NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const int ran = Run(self, [&](Session& session) {
      if (auto* stream = session.Find(id))
        n = session.OnReadSource(*stream, most, *flags);
    });
    return ran == 0 ? n : ran;
  }

  static int OnSendData(nghttp2_session* /*session*/, nghttp2_frame* frame,
                        const uint8_t* frame_head, size_t n,
                        nghttp2_data_source* /*source*/, void* self) {
    int sent = 0;
    const int ran = Run(self, [&](Session& session) {
      sent = session.OnSendData(frame->hd.stream_id,
                                Text(frame_head, kFrameHeadBytes), n);
    });
    return ran == 0 ? sent : ran;
  }

  static nghttp2_session_callbacks* Make() {
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
    nghttp2_session_callbacks_set_on_stream_close_callback(made,
                                                           &OnStreamClosed);
    nghttp2_session_callbacks_set_send_data_callback(made, &OnSendData);
    return made;
  }
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_SESSION_CALLBACKS_H_
