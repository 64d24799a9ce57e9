// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/admin/http_request.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace ringway::internal {
namespace {

// RFC 9110, 5.6.2.
bool IsToken(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           kOthers.find(c) != std::string_view::npos;
  });
}

// What a field's value may consist of (RFC 9110, 5.5).
bool IsFieldValue(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7F);
  });
}

bool IsTarget(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < 0x7F; });
}

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
}

std::string_view WithoutBlanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool HasElement(std::string_view list, std::string_view element) {
  for (const std::string_view part : absl::StrSplit(list, ',')) {
    if (absl::EqualsIgnoreCase(WithoutBlanks(part), element)) return true;
  }
  return false;
}

}  // namespace

int HttpRequest::AddRequestLine(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == last) return 400;
  const std::string_view method = line.substr(0, first);
  if (!IsToken(method)) return 400;
  method_ = std::string(method);
  if (const int code = SetVersion(line.substr(last + 1)); code != 0)
    return code;
  return SetTarget(line.substr(first + 1, last - first - 1));
}

int HttpRequest::SetVersion(std::string_view version) {
  if (version.size() != 8 || !version.starts_with("HTTP/") ||
      !IsDigits(version.substr(5, 1)) || version[6] != '.' ||
      !IsDigits(version.substr(7))) {
    return 400;
  }
  if (version[5] != '1') return 505;
  needs_host_ = version[7] != '0';
  closes_ = version[7] == '0';
  return 0;
}

int HttpRequest::SetTarget(std::string_view target) {
  if (!IsTarget(target)) return 400;
  constexpr std::string_view kScheme = "http://";  // as for a proxy
  if (absl::StartsWithIgnoreCase(target, kScheme)) {
    target.remove_prefix(kScheme.size());
    const size_t path = target.find_first_of("/?");
    target = path == std::string_view::npos ? "/" : target.substr(path);
    if (target.starts_with("?")) target = "/";
  }
  target = target.substr(0, target.find('?'));
  // "*" is for OPTIONS, which has no page.
  if (!target.starts_with("/") && target != "*") return 400;
  path_ = std::string(target);
  return 0;
}

int HttpRequest::AddHeaderLine(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return 400;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = WithoutBlanks(line.substr(colon + 1));
  if (!IsToken(name) || !IsFieldValue(value)) return 400;
  if (absl::EqualsIgnoreCase(name, "host")) {
    ++n_hosts_;
  } else if (absl::EqualsIgnoreCase(name, "connection")) {
    closes_ = closes_ || HasElement(value, "close");
  } else if (absl::EqualsIgnoreCase(name, "transfer-encoding")) {
    has_body_ = true;
  } else if (absl::EqualsIgnoreCase(name, "content-length")) {
    if (!IsDigits(value)) return 400;
    has_body_ = has_body_ || value.find_first_not_of('0') != value.npos;
  }
  return 0;
}

int HttpRequest::EndHeader() {
  const bool has_host = n_hosts_ == 1 || (n_hosts_ == 0 && !needs_host_);
  return has_host ? 0 : 400;
}

}  // namespace ringway::internal
