// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/handshake.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ringway/core/check.h"
#include "ringway/http/websocket/sha1.h"

namespace ringway::http::internal {

namespace {

// Base64 of 16 bytes.
bool IsKey(std::string_view text) {
  std::string bytes;
  return text.size() == 24 && text.ends_with("==") &&
         absl::Base64Unescape(text, &bytes) && bytes.size() == 16;
}

// A host without the port that its scheme has anyway.
std::string_view WithoutDefaultPort(std::string_view host, bool is_secure) {
  return absl::StripSuffix(host, is_secure ? ":443" : ":80");
}

// Whether `origin` is of the host that was asked, by http or https: TLS may
// have ended before this server.
bool IsOfHost(std::string_view origin, std::string_view host, bool is_secure) {
  const bool by_tls = absl::StartsWithIgnoreCase(origin, "https://");
  if (!by_tls && !absl::StartsWithIgnoreCase(origin, "http://")) return false;
  if (is_secure && !by_tls) return false;
  const std::string_view site = origin.substr(origin.find("://") + 3);
  return EqualsIgnoringCase(WithoutDefaultPort(site, by_tls),
                            WithoutDefaultPort(host, by_tls));
}

bool MayConnect(const HandshakeRequest& request,
                const std::vector<std::string>& origins) {
  const size_t n = request.headers.Count("Origin");
  if (n == 0) return true;
  if (n > 1) return false;
  const std::string_view origin = *request.headers.Find("Origin");
  if (origins.empty()) return IsOfHost(origin, request.host, request.is_secure);
  return std::any_of(
      origins.begin(), origins.end(), [origin](const std::string& allowed) {
        return allowed == "*" || EqualsIgnoringCase(allowed, origin);
      });
}

}  // namespace

HandshakeFault CheckHandshake(const HandshakeRequest& request,
                              const std::vector<std::string>& origins) {
  const Headers& headers = request.headers;
  if (!headers.HasElement("Upgrade", "websocket") ||
      !headers.HasElement("Connection", "upgrade")) {
    return HandshakeFault::kNoUpgrade;
  }
  if (request.method != Method::kGet || !request.is_http11 ||
      request.has_body || headers.Count("Sec-WebSocket-Key") != 1 ||
      !IsKey(*headers.Find("Sec-WebSocket-Key"))) {
    return HandshakeFault::kMalformed;
  }
  if (headers.Count("Sec-WebSocket-Version") != 1 ||
      headers.Find("Sec-WebSocket-Version") != kWebSocketVersion) {
    return HandshakeFault::kBadVersion;
  }
  if (!MayConnect(request, origins)) return HandshakeFault::kWrongOrigin;
  return HandshakeFault::kNone;
}

std::string NewKey() {
  std::array<char, 16> random;
  RINGWAY_CHECK(getentropy(random.data(), random.size()) == 0, "getentropy");
  return absl::Base64Escape(std::string_view(random.data(), random.size()));
}

std::string AcceptKey(std::string_view key) {
  static constexpr std::string_view kProtocol =
      "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const std::array<uint8_t, 20> digest = Sha1(absl::StrCat(key, kProtocol));
  return absl::Base64Escape(std::string_view(
      reinterpret_cast<const char*>(digest.data()), digest.size()));
}

std::string_view ChooseProtocol(const std::vector<std::string>& ours,
                                const Headers& headers) {
  for (const std::string& protocol : ours) {
    if (headers.HasElement("Sec-WebSocket-Protocol", protocol)) return protocol;
  }
  return {};
}

}  // namespace ringway::http::internal
