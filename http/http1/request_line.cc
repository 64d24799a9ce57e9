// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http1/request_line.h"

#include "absl/strings/ascii.h"
#include "ringway/http/http1/version.h"
#include "ringway/http/message/headers.h"

namespace ringway::http {

namespace {

constexpr std::string_view kVersion = "HTTP/1.1\r\n";
constexpr std::string_view kVersion10 = "HTTP/1.0\r\n";

}  // namespace

size_t RequestLine::Check(std::string_view bytes) {
  if (part_ == Part::kEnded) return bytes.size();
  if (part_ == Part::kEmptyLine && HaveLine(bytes)) {
    part_ = Part::kEnded;
    return bytes.size();
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (const char* text = Take(bytes[i]); text != nullptr) {
      error_ = {text == kOtherVersion ? 505 : 400, text};
      return i;
    }
    if (part_ == Part::kEnded) break;
  }
  return bytes.size();
}

// Most lines arrive whole, and looking for their parts costs a fifth of taking
// them byte by byte. What is wrong with others, Take() says.
bool RequestLine::HaveLine(std::string_view bytes) {
  const size_t method_end = bytes.find(' ');
  if (method_end == bytes.npos || !IsToken(bytes.substr(0, method_end)))
    return false;
  bytes.remove_prefix(method_end + 1);
  const size_t target_end = bytes.find(' ');
  if (target_end == bytes.npos || target_end == 0) return false;
  const std::string_view target = bytes.substr(0, target_end);
  if (target.find('\r') != target.npos || target.find('\n') != target.npos)
    return false;
  const std::string_view version =
      bytes.substr(target_end + 1, kVersion.size());
  return version == kVersion || version == kVersion10;
}

const char* RequestLine::Take(char c) {
  switch (part_) {
    case Part::kEmptyLine:
      if (c == '\r') {
        part_ = Part::kEmptyLineEnd;
        return nullptr;
      }
      if (!IsToken({&c, 1})) return "the request begins with no method";
      part_ = Part::kMethod;
      return nullptr;
    case Part::kEmptyLineEnd:
      if (c != '\n') return "a line does not end with CR LF";
      part_ = Part::kEmptyLine;
      return nullptr;
    case Part::kMethod:
      if (c == ' ') {
        part_ = Part::kTargetBegin;
        return nullptr;
      }
      return IsToken({&c, 1}) ? nullptr : "the method is malformed";
    case Part::kTargetBegin:
      if (c == ' ') return "the request line has two spaces in a row";
      part_ = Part::kTarget;
      [[fallthrough]];
    case Part::kTarget:
      if (c == ' ') part_ = Part::kVersion;
      if (c == '\r' || c == '\n') return "the request line has no version";
      return nullptr;
    case Part::kVersion:
      return TakeOfVersion(c);
    case Part::kEnded:
      return nullptr;
  }
  return nullptr;
}

const char* RequestLine::TakeOfVersion(char c) {
  const uint8_t at = n_version_++;
  if (n_version_ == kVersion.size()) part_ = Part::kEnded;
  if (c == kVersion[at] || (at == kMinorDigit && c == '0')) return nullptr;
  if ((at == kMajorDigit || at == kMinorDigit) &&
      absl::ascii_isdigit(static_cast<unsigned char>(c)))
    return kOtherVersion;
  return at <= kMinorDigit ? "the version is malformed"
                           : "the request line does not end after its version";
}

}  // namespace ringway::http
