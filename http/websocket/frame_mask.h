// SPDX-License-Identifier: Apache-2.0
//
// The masks of a client's frames, which nobody can guess (RFC 6455, section
// 10.3).

#ifndef RINGWAY_HTTP_WEBSOCKET_FRAME_MASK_H_
#define RINGWAY_HTTP_WEBSOCKET_FRAME_MASK_H_

#include "ringway/http/websocket/frame.h"

namespace ringway::http::internal {

// Threads: any.
// Cost:    a system call for each 64 masks of a thread.
Mask NewMask();

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_WEBSOCKET_FRAME_MASK_H_
