// SPDX-License-Identifier: Apache-2.0
//
// Utf8Checker: whether text that arrives in pieces is UTF-8 (RFC 3629).

#ifndef RINGWAY_HTTP_WEBSOCKET_UTF8_CHECKER_H_
#define RINGWAY_HTTP_WEBSOCKET_UTF8_CHECKER_H_

#include <cstdint>
#include <string_view>

#include "ringway/core/compiler.h"

namespace ringway::http::internal {

// Refuses what is longer than it needs to be, halves of surrogate pairs, and
// what is above U+10FFFF, at the first byte that shows it.
class Utf8Checker {
 public:
  // Whether `text` can go on what was added before.
  bool Add(std::string_view text);
  // Whether no character is cut at the end.
  bool complete() const { return n_missing_ == 0; }
  void Reset() { n_missing_ = 0; }

 private:
  int n_missing_ = 0;  // bytes of the character that has begun
  // What its next byte can be: the second of some is restricted.
  uint8_t least_ = 0x80;
  uint8_t most_ = 0xbf;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_WEBSOCKET_UTF8_CHECKER_H_
