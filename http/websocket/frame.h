// SPDX-License-Identifier: Apache-2.0
//
// The head of a WebSocket frame (RFC 6455, section 5.2), and masks.

#ifndef RINGWAY_HTTP_WEBSOCKET_FRAME_H_
#define RINGWAY_HTTP_WEBSOCKET_FRAME_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "ringway/core/compiler.h"

namespace ringway::http::internal {

enum class Opcode : uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

constexpr bool IsControl(Opcode opcode) {
  return (static_cast<unsigned>(opcode) & 8) != 0;
}

// What control frames carry at most.
inline constexpr size_t kMaxControlBytes = 125;
inline constexpr size_t kMaxFrameHeadBytes = 14;

using Mask = std::array<std::byte, 4>;

struct FrameHead {
  Opcode opcode = Opcode::kContinuation;
  bool last = true;  // of its message
  bool masked = false;
  Mask mask = {};
  uint64_t n_bytes = 0;  // that follow
};

enum class HeadStep : uint8_t { kNeedMore, kDone, kFailed };

// Reads the head that `bytes` begin with. kDone: `n_used` bytes were it.
// kFailed: reserved bits or opcodes, a length in more bytes than it needs or of
// more than 63 bits, a control frame that is long or in fragments.
HeadStep ReadFrameHead(std::span<const std::byte> bytes, FrameHead& head,
                       size_t& n_used);

// Puts the head into `to`; returns how many bytes it has.
size_t PutFrameHead(const FrameHead& head,
                    std::span<std::byte, kMaxFrameHeadBytes> to);

// Masks or unmasks `bytes`, of which the first is number `offset` of its
// frame.
void ApplyMask(const Mask& mask, uint64_t offset, std::span<std::byte> bytes);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_WEBSOCKET_FRAME_H_
