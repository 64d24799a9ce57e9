// SPDX-License-Identifier: Apache-2.0
//
// Frames of HTTP/2 byte by byte, also those that no library would send.

#ifndef RINGWAY_HTTP_HTTP2_TESTING_FRAMES_H_
#define RINGWAY_HTTP_HTTP2_TESTING_FRAMES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringway::http::testing {

// RFC 9113, section 6.
enum FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};

inline constexpr uint8_t kEndStream = 0x1;
inline constexpr uint8_t kAck = 0x1;
inline constexpr uint8_t kEndHeaders = 0x4;
inline constexpr uint8_t kPadded = 0x8;
inline constexpr uint8_t kWithPriority = 0x20;

struct Frame {
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t stream = 0;
  std::string payload;
};

std::string Bytes(const Frame& frame);
// The whole frames at the beginning of `bytes`.
std::vector<Frame> Parse(std::string_view bytes);

// `n` in so many bytes, the highest first.
std::string Big(uint64_t n, int n_bytes);
uint32_t FromBig(std::string_view bytes);

// A header block, each field as a literal that is not put into the table.
using Fields = std::vector<std::pair<std::string, std::string>>;
std::string Block(const Fields& fields);
// Of a GET of "/".
Fields GetFields();

// One SETTINGS entry.
std::string Setting(uint16_t id, uint32_t value);

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_HTTP2_TESTING_FRAMES_H_
