// SPDX-License-Identifier: Apache-2.0
//
// SessionCallbacks: the C functions that nghttp2 calls for a ServerSession.

#ifndef RINGWAY_HTTP_HTTP2_SESSION_CALLBACKS_H_
#define RINGWAY_HTTP_HTTP2_SESSION_CALLBACKS_H_

#include <cstddef>
#include <cstdint>

#include "nghttp2/nghttp2.h"

namespace ringway::http::internal {

class ServerSession;

// A friend of ServerSession, whose functions it calls. nghttp2 is C, so
// exceptions, of failed allocations, end here and fail the session.
class SessionCallbacks {
 public:
  // Of all sessions. Throws std::bad_alloc at the first call.
  static const nghttp2_session_callbacks* Get();
  // For the body of any response.
  static nghttp2_data_provider2 BodySource();

 private:
  template <typename Body>
  static int Run(void* session, Body body);

  static int OnBeginFrame(nghttp2_session*, const nghttp2_frame_hd* head,
                          void* self);
  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame,
                            void* self);
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame,
                      const uint8_t* name, size_t n_name, const uint8_t* value,
                      size_t n_value, uint8_t flags, void* self);
  static int OnInvalidHeader(nghttp2_session*, const nghttp2_frame* frame,
                             nghttp2_rcbuf* name, nghttp2_rcbuf* value,
                             uint8_t flags, void* self);
  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int OnData(nghttp2_session*, uint8_t flags, int32_t id,
                    const uint8_t* bytes, size_t n, void* self);
  static int OnFrameSent(nghttp2_session*, const nghttp2_frame* frame,
                         void* self);
  static int OnStreamClosed(nghttp2_session*, int32_t id, uint32_t code,
                            void* self);
  static nghttp2_ssize OnReadSource(nghttp2_session*, int32_t id, uint8_t*,
                                    size_t most, uint32_t* flags,
                                    nghttp2_data_source*, void* self);
  static int OnSendData(nghttp2_session*, nghttp2_frame* frame,
                        const uint8_t* frame_head, size_t n,
                        nghttp2_data_source*, void* self);
  static nghttp2_session_callbacks* Make();
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_SESSION_CALLBACKS_H_
