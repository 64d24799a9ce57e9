// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/message/url.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ringway/http/message/method.h"
#include "ringway/http/message/target.h"

namespace ringway::http {

namespace {

constexpr uint16_t kPort = 80;
constexpr uint16_t kSecurePort = 443;
// In messages.
constexpr size_t kShownBytes = 200;

absl::Status Refuse(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the URL \"", absl::CEscape(text.substr(0, kShownBytes)), "\": ", why));
}

std::string_view WithoutFragment(std::string_view text) {
  return text.substr(0, text.find('#'));
}

// Whether it begins with a scheme (RFC 3986, section 3.1).
bool HasScheme(std::string_view text) {
  const size_t colon = text.find(':');
  return colon != std::string_view::npos && colon > 0 &&
         absl::ascii_isalpha(static_cast<unsigned char>(text.front())) &&
         std::all_of(text.begin(), text.begin() + colon, [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '+' || c == '-' || c == '.';
         });
}

// RFC 3986, section 5.2.4, for a path that begins with a slash.
std::string RemoveDotSegments(std::string_view path) {
  std::string clean;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    if (segment == "/." || segment == "/..") {
      if (segment == "/..")
        clean.resize(std::min(clean.rfind('/'), clean.size()));
      if (path.empty()) clean.push_back('/');
    } else {
      clean.append(segment);
    }
  }
  return clean;
}

}  // namespace

std::string Url::ToString() const {
  return absl::StrCat(scheme(), "://", authority, target);
}

absl::StatusOr<Url> ParseUrl(std::string_view text) {
  const std::string_view whole = WithoutFragment(text);
  const size_t scheme = whole.find("://");
  if (scheme == std::string_view::npos)
    return Refuse(text, "it does not begin with http:// or https://");
  const std::string_view rest = whole.substr(scheme + 3);
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  if (authority.find('@') != std::string_view::npos)
    return Refuse(text, "no user or password is sent: set Authorization");
  const absl::StatusOr<Target> target = ParseTarget(Method::kGet, whole);
  if (!target.ok()) return Refuse(text, target.status().message());

  Url url;
  url.secure = absl::EqualsIgnoreCase(target->scheme, "https");
  const uint16_t default_port = url.secure ? kSecurePort : kPort;
  const size_t host_end = authority.front() == '['
                              ? authority.find(']') + 1
                              : std::min(authority.find(':'), authority.size());
  const std::string host = absl::AsciiStrToLower(authority.substr(0, host_end));
  uint32_t port = default_port;
  if (host_end + 1 < authority.size() &&
      (!absl::SimpleAtoi(authority.substr(host_end + 1), &port) || port == 0)) {
    return Refuse(text, "the port is not 1 to 65535");
  }
  url.port = static_cast<uint16_t>(port);
  url.authority = port == default_port ? host : absl::StrCat(host, ":", port);
  url.host = host.front() == '[' ? host.substr(1, host.size() - 2) : host;
  const std::string_view path = rest.substr(end);
  url.target = absl::StrCat(path.starts_with('/') ? "" : "/", path);
  return url;
}

absl::StatusOr<Url> ResolveUrl(const Url& base, std::string_view reference) {
  if (HasScheme(reference)) return ParseUrl(reference);
  if (reference.starts_with("//"))
    return ParseUrl(absl::StrCat(base.scheme(), ":", reference));
  const std::string_view path_and_query = WithoutFragment(reference);
  const size_t mark = std::min(path_and_query.find('?'), path_and_query.size());
  const std::string_view query = path_and_query.substr(mark);
  const std::string_view base_path =
      std::string_view(base.target).substr(0, base.target.find('?'));
  std::string target;
  if (path_and_query.empty()) {
    target = base.target;
  } else if (mark == 0) {
    target = absl::StrCat(base_path, query);
  } else {
    std::string path(path_and_query.substr(0, mark));
    if (path.front() != '/')
      path.insert(0, base_path.substr(0, base_path.rfind('/') + 1));
    target = absl::StrCat(RemoveDotSegments(path), query);
  }
  return ParseUrl(absl::StrCat(base.scheme(), "://", base.authority, target));
}

}  // namespace ringway::http
