// SPDX-License-Identifier: Apache-2.0
//
// Http2ClientLimits: what one HTTP/2 connection may cost its client.

#ifndef RINGWAY_HTTP_HTTP2_CLIENT_CLIENT_LIMITS_H_
#define RINGWAY_HTTP_HTTP2_CLIENT_CLIENT_LIMITS_H_

#include <cstdint>

#include "ringway/core/compiler.h"

namespace ringway::http {

struct Http2ClientLimits {
  Http2ClientLimits() {}

  // Requests of a connection at one time, or less if the server says so. More
  // wait for their turn.
  uint32_t max_streams = 100;
  // Bytes of one response's body that wait to be read.
  uint32_t stream_window_bytes = 1024 * 1024;
  // Bytes of all bodies of a connection that wait. At least 65,535: the
  // protocol begins with that.
  uint32_t connection_window_bytes = 16 * 1024 * 1024;
  // Frames in one second that bring nothing of a response: PING, SETTINGS,
  // PRIORITY, RST_STREAM, DATA without bytes, and WINDOW_UPDATE beyond four for
  // each DATA frame that was sent. With more the connection ends with
  // ENHANCE_YOUR_CALM.
  uint32_t max_control_frames_per_second = 1000;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_HTTP2_CLIENT_CLIENT_LIMITS_H_
