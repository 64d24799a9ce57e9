// SPDX-License-Identifier: Apache-2.0
//
// Http2Limits: what one HTTP/2 connection may cost its server.

#ifndef RINGWAY_HTTP_HTTP2_HTTP2_LIMITS_H_
#define RINGWAY_HTTP_HTTP2_HTTP2_LIMITS_H_

#include <cstdint>

namespace ringway::http {

struct Http2Limits {
  Http2Limits() {}

  // Requests of a connection that are answered at one time; more are refused
  // with REFUSED_STREAM, so that the client tries again.
  uint32_t max_streams = 100;
  // Bytes of one request's body that wait for the handler to read them.
  uint32_t stream_window_bytes = 256 * 1024;
  // Bytes of all bodies of a connection that wait. At least 65,535: the
  // protocol begins with that.
  uint32_t connection_window_bytes = 1024 * 1024;
  // Streams that a client resets, or has reset by what it sends, in one second;
  // with more the connection ends with ENHANCE_YOUR_CALM. A browser that leaves
  // a page resets as many as it has open.
  uint32_t max_resets_per_second = 200;
  // Frames in one second that bring neither a request nor a part of one: PING,
  // SETTINGS, PRIORITY, DATA without bytes, and WINDOW_UPDATE beyond four for
  // each DATA frame that was sent. With more the connection ends likewise.
  uint32_t max_control_frames_per_second = 1000;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_HTTP2_HTTP2_LIMITS_H_
