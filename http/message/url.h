// SPDX-License-Identifier: Apache-2.0
//
// Url: where a request goes: "https://example.org:8443/path?query".

#ifndef RINGWAY_HTTP_MESSAGE_URL_H_
#define RINGWAY_HTTP_MESSAGE_URL_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ringway/core/compiler.h"

namespace ringway::http {

struct Url {
  bool secure = false;    // https
  std::string host;       // in lower case; an IPv6 address without brackets
  uint16_t port = 0;      // 80 or 443 unless it was given
  std::string authority;  // for Host: the port is left out if it is the default
  std::string target;     // "/path?query", as it was given

  std::string_view scheme() const { return secure ? "https" : "http"; }
  // As a whole.
  std::string ToString() const;

  bool operator==(const Url&) const = default;
};

// Parses a URL of http or https, without what follows a "#".
//
// Errors: InvalidArgument, with the URL: another scheme, no host, a user or
//         password, a character that must be encoded.
absl::StatusOr<Url> ParseUrl(std::string_view text);

// What a reference, such as that of a Location field, means at `base`: a whole
// URL, "//host/path", "/path", "?query" or a path that begins where that of
// `base` ends (RFC 3986, section 5.2).
//
// Errors: as ParseUrl().
absl::StatusOr<Url> ResolveUrl(const Url& base, std::string_view reference);

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_MESSAGE_URL_H_
