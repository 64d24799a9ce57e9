// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/diagnostics/json_string.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"

namespace ringway {
namespace {

uint8_t ByteAt(std::string_view text, size_t i) {
  return i < text.size() ? static_cast<uint8_t>(text[i]) : 0;
}

bool Continues(uint8_t byte) { return (byte & 0xc0) == 0x80; }

// The length of the UTF-8 sequence that `text` begins with, of more than one
// byte; 0 if there is no valid one. As in table 3-7 of the Unicode standard:
// no overlong forms, no surrogates, nothing beyond U+10FFFF.
size_t SequenceLength(std::string_view text) {
  const uint8_t first = ByteAt(text, 0), second = ByteAt(text, 1);
  if (first >= 0xc2 && first <= 0xdf) return Continues(second) ? 2 : 0;
  if (!Continues(second) || !Continues(ByteAt(text, 2))) return 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (first < 0xf0 || first > 0xf4 || !Continues(ByteAt(text, 3))) return 0;
  const bool overlong = first == 0xf0 && second < 0x90;
  const bool beyond = first == 0xf4 && second > 0x8f;
  return overlong || beyond ? 0 : 4;
}

}  // namespace

std::string JsonString(std::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    const char c = text.front();
    size_t n_bytes = 1;
    if (c == '"' || c == '\\') {
      absl::StrAppend(&json, "\\", text.substr(0, 1));
    } else if (static_cast<uint8_t>(c) < 0x20) {
      absl::StrAppend(&json, "\\u00", absl::Hex(c, absl::kZeroPad2));
    } else if (static_cast<uint8_t>(c) < 0x80) {
      json.push_back(c);
    } else if (n_bytes = SequenceLength(text); n_bytes > 0) {
      absl::StrAppend(&json, text.substr(0, n_bytes));
    } else {
      n_bytes = 1;
      absl::StrAppend(&json, "\\ufffd");
    }
    text.remove_prefix(n_bytes);
  }
  json.push_back('"');
  return json;
}

}  // namespace ringway
