// SPDX-License-Identifier: Apache-2.0
//
// UpgradeRequest: a request of HTTP/1.1 that asks to be answered by HTTP/2
// (RFC 7540, section 3.2).

#ifndef RINGWAY_HTTP_HTTP2_UPGRADE_REQUEST_H_
#define RINGWAY_HTTP_HTTP2_UPGRADE_REQUEST_H_

#include <memory>
#include <string>
#include <string_view>

#include "ringway/http/http1/request_head.h"
#include "ringway/http/http2/request_fields.h"

namespace ringway::http::internal {

struct UpgradeRequest {
  // Null if `head` asks for no upgrade, or has a body: that would come before
  // the frames.
  static std::unique_ptr<UpgradeRequest> From(const RequestHead& head);

  // As fields of HTTP/2, to the end of the head.
  void AddTo(RequestFields& fields) const;

  std::string method;
  std::string target;
  std::string authority;
  Headers headers;       // without those of the connection
  std::string settings;  // the payload of the client's SETTINGS
};

// What answers it. Frames follow.
inline constexpr std::string_view kUpgradeResponse =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "
    "h2c\r\n\r\n";

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_UPGRADE_REQUEST_H_
