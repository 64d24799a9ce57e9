// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/testing/frames.h"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace ringway::http::testing {

namespace {

void Mask(std::string_view mask, std::string& payload) {
  for (size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
}

}  // namespace

std::string BytesOf(const Frame& frame) {
  const size_t n = frame.payload.size();
  return BytesOf(frame, n < 126 ? 1 : n < 65536 ? 2 : 8);
}

std::string BytesOf(const Frame& frame, int n_length) {
  const uint64_t n = frame.payload.size();
  std::string bytes;
  bytes += static_cast<char>((frame.fin ? 0x80 : 0) | frame.reserved << 4 |
                             frame.opcode);
  const int mask_bit = frame.mask.has_value() ? 0x80 : 0;
  if (n_length == 1) {
    bytes += static_cast<char>(mask_bit | static_cast<int>(n));
  } else {
    bytes += static_cast<char>(mask_bit | (n_length == 2 ? 126 : 127));
    for (int i = n_length - 1; i >= 0; --i)
      bytes += static_cast<char>(n >> (8 * i) & 0xff);
  }
  std::string payload = frame.payload;
  if (frame.mask.has_value()) {
    bytes += *frame.mask;
    Mask(*frame.mask, payload);
  }
  return bytes + payload;
}

std::string ClientFrame(int opcode, std::string payload, bool fin) {
  Frame frame;
  frame.opcode = opcode;
  frame.payload = std::move(payload);
  frame.fin = fin;
  return BytesOf(frame);
}

std::optional<Frame> TakeFrame(std::string& bytes) {
  const auto at = [&bytes](size_t i) {
    return static_cast<unsigned char>(bytes[i]);
  };
  if (bytes.size() < 2) return std::nullopt;
  Frame frame;
  frame.fin = (at(0) & 0x80) != 0;
  frame.reserved = at(0) >> 4 & 7;
  frame.opcode = at(0) & 15;
  uint64_t n = at(1) & 0x7f;
  size_t head = 2;
  if (n >= 126) {
    const size_t n_length = n == 126 ? 2 : 8;
    head += n_length;
    if (bytes.size() < head) return std::nullopt;
    n = 0;
    for (size_t i = 2; i < head; ++i) n = n << 8 | at(i);
  }
  frame.mask.reset();
  if ((at(1) & 0x80) != 0) {
    if (bytes.size() < head + 4) return std::nullopt;
    frame.mask = bytes.substr(head, 4);
    head += 4;
  }
  if (bytes.size() - head < n || bytes.size() < head) return std::nullopt;
  frame.payload = bytes.substr(head, n);
  if (frame.mask.has_value()) Mask(*frame.mask, frame.payload);
  bytes.erase(0, head + n);
  return frame;
}

std::string ClosePayload(int code, std::string_view reason) {
  std::string payload;
  payload += static_cast<char>(code >> 8);
  payload += static_cast<char>(code & 0xff);
  return payload.append(reason);
}

}  // namespace ringway::http::testing
