// SPDX-License-Identifier: Apache-2.0
//
// ClientRequest: what Client::Send() sends.

#ifndef RINGWAY_HTTP_CLIENT_CLIENT_REQUEST_H_
#define RINGWAY_HTTP_CLIENT_CLIENT_REQUEST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "ringway/http/client/body_writer.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/message/method.h"

namespace ringway::http {

struct ClientRequest {
  ClientRequest() {}
  ClientRequest(Method method_in, std::string url_in,
                std::string body_in = std::string())
      : method(method_in), url(std::move(url_in)), body(std::move(body_in)) {}

  Method method = Method::kGet;  // any but CONNECT
  std::string url;               // of http or https
  // Host and User-Agent go before those of the client. What is about the
  // connection or the framing of the body is refused.
  Headers headers;
  std::string body;

  // Instead of `body`, for one that is not in memory as a whole: runs in a task
  // beside the response. If the Response is dropped before the body's end, it
  // is cancelled and may end later: it must own what it uses.
  BodyFunction write_body;
  // Of what write_body writes; none: the body is chunked.
  std::optional<uint64_t> content_length;

  // Asks whether the server wants the body before it is sent, by
  // "Expect: 100-continue". A response without a 100 ends the request.
  bool expect_continue = false;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_CLIENT_CLIENT_REQUEST_H_
