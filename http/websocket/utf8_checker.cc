// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/utf8_checker.h"

#include <cstddef>
#include <cstring>

namespace ringway::http::internal {

namespace {

// How many bytes at the begin are ASCII, or a few less.
size_t SkipAscii(std::string_view text) {
  size_t i = 0;
  for (; i + sizeof(uint64_t) <= text.size(); i += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof(word));
    if ((word & 0x8080808080808080) != 0) break;
  }
  return i;
}

}  // namespace

bool Utf8Checker::Add(std::string_view text) {
  size_t i = n_missing_ == 0 ? SkipAscii(text) : 0;
  while (i < text.size()) {
    const auto byte = static_cast<uint8_t>(text[i++]);
    if (n_missing_ > 0) {
      if (byte < least_ || byte > most_) return false;
      least_ = 0x80;
      most_ = 0xbf;
      --n_missing_;
      if (n_missing_ == 0) i += SkipAscii(text.substr(i));
      continue;
    }
    if (byte < 0x80) continue;
    if (byte < 0xc2 || byte > 0xf4) return false;
    n_missing_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    // The table of RFC 3629, section 4.
    least_ = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    most_ = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
  }
  return true;
}

}  // namespace ringway::http::internal
