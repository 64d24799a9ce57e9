// SPDX-License-Identifier: Apache-2.0
//
// CheckWebSocketScript: what has to hold for the frames of a WebSocket's peer,
// whatever their bytes are and however they arrive.

#ifndef RINGWAY_HTTP_FUZZ_WEBSOCKET_MODEL_H_
#define RINGWAY_HTTP_FUZZ_WEBSOCKET_MODEL_H_

#include <cstddef>
#include <string_view>

namespace ringway::fuzz {

// The first bytes of `script` are the role, the limit and the sizes of pieces;
// the rest is what arrives, or what well-formed frames are made of. Aborts
// unless
//   the messages and faults are the same in one piece and in those pieces,
//   they are those of a reader that takes whole frames, and knows nothing of
//   pieces,
//   no message is longer than the limit, and texts are UTF-8,
//   memory is bounded by what has arrived.
//
// Returns how many messages were whole.
size_t CheckWebSocketScript(std::string_view script);

}  // namespace ringway::fuzz

#endif  // RINGWAY_HTTP_FUZZ_WEBSOCKET_MODEL_H_
