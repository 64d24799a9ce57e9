// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http2/upgrade_request.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/message/method.h"

namespace ringway::http::internal {

namespace {

constexpr size_t kSettingBytes = 6;
// Of the connection that is left, or sent as pseudo-headers (RFC 9113, section
// 8.2.2).
constexpr std::array<std::string_view, 8> kNotSentOn = {
    "connection",       "host", "http2-settings",    "keep-alive",
    "proxy-connection", "te",   "transfer-encoding", "upgrade"};

}  // namespace

std::unique_ptr<UpgradeRequest> UpgradeRequest::From(const RequestHead& head) {
  const Headers& headers = head.headers;
  std::string settings;
  if (head.version != Version::kHttp11 || head.chunked ||
      head.content_length.value_or(0) != 0 ||
      !headers.HasElement("Upgrade", "h2c") ||
      !headers.HasElement("Connection", "Upgrade") ||
      !headers.HasElement("Connection", "HTTP2-Settings") ||
      headers.Count("HTTP2-Settings") != 1 ||
      !absl::WebSafeBase64Unescape(*headers.Find("HTTP2-Settings"),
                                   &settings) ||
      settings.size() % kSettingBytes != 0) {
    return nullptr;
  }
  auto request = std::make_unique<UpgradeRequest>();
  request->method = MethodName(head.method);
  request->target =
      head.target.query.empty()
          ? std::string(head.target.path)
          : absl::StrCat(head.target.path, "?", head.target.query);
  request->authority = head.target.authority.empty()
                           ? headers.Find("Host").value_or("")
                           : head.target.authority;
  for (const Header header : headers) {
    const std::string name = absl::AsciiStrToLower(header.name);
    if (std::find(kNotSentOn.begin(), kNotSentOn.end(), name) ==
            kNotSentOn.end() &&
        !headers.HasElement("Connection", name)) {
      request->headers.Add(name, header.value);
    }
  }
  request->settings = std::move(settings);
  return request;
}

void UpgradeRequest::AddTo(RequestFields& fields) const {
  fields.Add(":method", method);
  fields.Add(":scheme", "http");
  fields.Add(":path", target);
  if (!authority.empty()) fields.Add(":authority", authority);
  for (const Header header : headers) fields.Add(header.name, header.value);
  fields.EndHead(/*has_body=*/false);
}

}  // namespace ringway::http::internal
