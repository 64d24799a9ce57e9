// SPDX-License-Identifier: Apache-2.0
//
// RequestHead: what a request says before its body.

#ifndef RINGWAY_HTTP_HTTP1_REQUEST_HEAD_H_
#define RINGWAY_HTTP_HTTP1_REQUEST_HEAD_H_

#include <cstdint>
#include <optional>
#include <string>

#include "ringway/http/message/headers.h"
#include "ringway/http/message/method.h"
#include "ringway/http/message/target.h"

namespace ringway::http {

enum class Version : uint8_t { kHttp10, kHttp11, kHttp2 };

struct RequestHead {
  RequestHead() = default;
  RequestHead(const RequestHead&) = delete;  // target refers to target_text
  RequestHead& operator=(const RequestHead&) = delete;

  Method method = Method::kGet;
  Version version = Version::kHttp11;
  std::string target_text;
  Target target;
  Headers headers;
  // Of the body; none if it is chunked.
  std::optional<uint64_t> content_length;
  bool chunked = false;
  // The client waits for a "100 Continue" before it sends the body.
  bool expects_continue = false;
  // It wants to send more requests on this connection.
  bool keep_alive = false;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_HTTP1_REQUEST_HEAD_H_
