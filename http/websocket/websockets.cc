// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/websockets.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/http/websocket/handshake.h"

namespace ringway::http {

namespace {

using internal::HandshakeFault;

Task<absl::Status> Refuse(HandshakeFault fault, ResponseWriter& response) {
  switch (fault) {
    case HandshakeFault::kNoUpgrade:
      response.headers().Set("Upgrade", "websocket");
      return response.Send(426, "This is for WebSockets.\n");
    case HandshakeFault::kBadVersion:
      response.headers().Set("Sec-WebSocket-Version",
                             internal::kWebSocketVersion);
      return response.Send(426, "Version 13 of the protocol is spoken here.\n");
    case HandshakeFault::kWrongOrigin:
      return response.Send(403, "Pages of this origin may not connect.\n");
    case HandshakeFault::kMalformed:
    case HandshakeFault::kNone:
      break;
  }
  return response.Send(400, "A malformed handshake.\n");
}

}  // namespace

WebSockets::WebSockets(WebSocketHandler handler, WebSocketOptions options) {
  const absl::Status valid = CheckWebSocketOptions(options);
  RINGWAY_CHECK(valid.ok(), "http::WebSocketOptions: %s",
                std::string(valid.message()).c_str());
  RINGWAY_CHECK(handler != nullptr, "WebSockets without a handler");
  shared_ =
      std::make_shared<const Shared>(std::move(handler), std::move(options));
}

Task<absl::Status> WebSockets::operator()(Request& request,
                                          ResponseWriter& response) const {
  return Serve(shared_, request, response);
}

Task<absl::Status> WebSockets::Serve(std::shared_ptr<const Shared> shared,
                                     Request& request,
                                     ResponseWriter& response) {
  const internal::HandshakeRequest handshake = {
      .method = request.method(),
      .is_http11 = request.version() == Version::kHttp11,
      .has_body = request.content_length() != uint64_t{0},
      .is_secure = request.is_secure(),
      .host = request.host(),
      .headers = request.headers(),
  };
  const HandshakeFault fault =
      internal::CheckHandshake(handshake, shared->options.origins);
  if (fault != HandshakeFault::kNone) {
    Task<absl::Status> refuse = Refuse(fault, response);
    co_return co_await std::move(refuse);
  }
  const std::string_view protocol =
      internal::ChooseProtocol(shared->options.protocols, request.headers());
  response.headers().Set(
      "Sec-WebSocket-Accept",
      internal::AcceptKey(*request.headers().Find("Sec-WebSocket-Key")));
  if (!protocol.empty())
    response.headers().Set("Sec-WebSocket-Protocol", protocol);
  Task<absl::StatusOr<Tunnel*>> upgrade = response.Upgrade("websocket");
  const absl::StatusOr<Tunnel*> tunnel = co_await std::move(upgrade);
  if (!tunnel.ok()) co_return tunnel.status();

  WebSocket socket(**tunnel, shared->options, protocol,
                   WebSocket::Role::kServer);
  absl::Status served;
  try {
    Task<absl::Status> serve = shared->handler(request, socket);
    served = co_await std::move(serve);
  } catch (const std::exception& thrown) {
    served = absl::InternalError(thrown.what());
  }
  Task<absl::Status> finish = socket.Finish(
      served.ok() ? CloseCode::kNormal : CloseCode::kInternalError);
  const absl::Status finished = co_await std::move(finish);
  co_return served.ok() ? finished : served;
}

}  // namespace ringway::http
