// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http1/status_line.h"

#include "absl/strings/ascii.h"
#include "ringway/http/http1/version.h"

namespace ringway::http {

namespace {

// A 1 stands for a digit.
constexpr std::string_view kStart = "HTTP/1.1 111";
constexpr uint8_t kCode = 9;

}  // namespace

size_t StatusLine::Check(std::string_view bytes) {
  if (part_ == Part::kEnded) return bytes.size();
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (const char* error = Take(bytes[i]); error != nullptr) {
      error_ = error;
      return i;
    }
    if (part_ == Part::kEnded) break;
  }
  return bytes.size();
}

const char* StatusLine::Take(char c) {
  switch (part_) {
    case Part::kStart: {
      const uint8_t at = n_start_++;
      if (n_start_ == kStart.size()) part_ = Part::kPhraseOrEnd;
      if (at < kMajorDigit && c != kStart[at])
        return "it is no response of HTTP";
      if ((at == kMajorDigit && c != '1') ||
          (at == kMinorDigit && c != '0' && c != '1'))
        return kOtherVersion;
      if (at == kCode && c == '0') return "the status code is below 100";
      if (kStart[at] == '1' ? absl::ascii_isdigit(static_cast<unsigned char>(c))
                            : c == kStart[at])
        return nullptr;
      return "the status line is malformed";
    }
    case Part::kPhraseOrEnd:
      if (c != ' ' && c != '\r') return "the status code is malformed";
      part_ = c == ' ' ? Part::kPhrase : Part::kEnd;
      return nullptr;
    case Part::kPhrase:
      if (c == '\r') {
        part_ = Part::kEnd;
        return nullptr;
      }
      ++n_phrase_;
      if (c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f))
        return nullptr;
      return "the status line has a control character";
    case Part::kEnd:
      if (c != '\n') return "a line does not end with CR LF";
      part_ = Part::kEnded;
      return nullptr;
    case Part::kEnded:
      return nullptr;
  }
  return nullptr;
}

}  // namespace ringway::http
