// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http2/testing/frames.h"

#include <cstddef>

namespace ringway::http::testing {

namespace {

constexpr size_t kFrameHead = 9;

// RFC 7541, section 5.2, without Huffman.
void AppendText(std::string_view text, std::string& to) {
  constexpr size_t kPrefix = 127;
  size_t n = text.size();
  if (n < kPrefix) {
    to.push_back(static_cast<char>(n));
  } else {
    to.push_back(static_cast<char>(kPrefix));
    for (n -= kPrefix; n >= 128; n /= 128)
      to.push_back(static_cast<char>(n % 128 + 128));
    to.push_back(static_cast<char>(n));
  }
  to.append(text);
}

}  // namespace

std::string Big(uint64_t n, int n_bytes) {
  std::string bytes;
  for (int i = n_bytes - 1; i >= 0; --i)
    bytes.push_back(static_cast<char>(n >> (8 * i)));
  return bytes;
}

uint32_t FromBig(std::string_view bytes) {
  uint32_t n = 0;
  for (const char c : bytes) n = n << 8 | static_cast<unsigned char>(c);
  return n;
}

std::string Bytes(const Frame& frame) {
  return Big(frame.payload.size(), 3) + Big(frame.type, 1) +
         Big(frame.flags, 1) + Big(frame.stream, 4) + frame.payload;
}

std::vector<Frame> Parse(std::string_view bytes) {
  std::vector<Frame> frames;
  while (bytes.size() >= kFrameHead) {
    const size_t n = FromBig(bytes.substr(0, 3));
    if (bytes.size() < kFrameHead + n) break;
    frames.push_back({static_cast<uint8_t>(bytes[3]),
                      static_cast<uint8_t>(bytes[4]),
                      FromBig(bytes.substr(5, 4)),
                      std::string(bytes.substr(kFrameHead, n))});
    bytes.remove_prefix(kFrameHead + n);
  }
  return frames;
}

std::string Block(const Fields& fields) {
  std::string block;
  for (const auto& [name, value] : fields) {
    block.push_back(0);
    AppendText(name, block);
    AppendText(value, block);
  }
  return block;
}

Fields GetFields() {
  return {{":method", "GET"},
          {":scheme", "http"},
          {":path", "/"},
          {":authority", "test"}};
}

std::string Setting(uint16_t id, uint32_t value) {
  return Big(id, 2) + Big(value, 4);
}

}  // namespace ringway::http::testing
