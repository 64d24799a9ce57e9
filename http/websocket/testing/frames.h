// SPDX-License-Identifier: Apache-2.0
//
// Frames of WebSockets for tests: written as RFC 6455, section 5.2, draws them,
// and independent of what is tested.

#ifndef RINGWAY_HTTP_WEBSOCKET_TESTING_FRAMES_H_
#define RINGWAY_HTTP_WEBSOCKET_TESTING_FRAMES_H_

#include <optional>
#include <string>
#include <string_view>

#include "ringway/core/compiler.h"

namespace ringway::http::testing {

inline constexpr int kContinuation = 0;
inline constexpr int kText = 1;
inline constexpr int kBinary = 2;
inline constexpr int kClose = 8;
inline constexpr int kPing = 9;
inline constexpr int kPong = 10;

// A frame with a mask is a client's.
struct Frame {
  int opcode = kText;
  std::string payload;
  bool fin = true;
  int reserved = 0;  // the three bits
  // The mask; none for a server's frames.
  std::optional<std::string> mask = "\x12\x34\x56\x78";
};

std::string BytesOf(const Frame& frame);
// The same with the length in `n_length` bytes, 1, 2 or 8, and not less.
std::string BytesOf(const Frame& frame, int n_length);
// A frame of a client.
std::string ClientFrame(int opcode, std::string payload = "", bool fin = true);

// The frame that `bytes` begin with, which it takes from them; none if it is
// not whole.
std::optional<Frame> TakeFrame(std::string& bytes);

// The payload of a Close.
std::string ClosePayload(int code, std::string_view reason = "");

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_WEBSOCKET_TESTING_FRAMES_H_
