// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/client/websocket_client.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/http/client/http1_client_state.h"
#include "ringway/http/client/new_connection.h"
#include "ringway/http/http1/request_text.h"
#include "ringway/http/message/method.h"
#include "ringway/http/message/url.h"
#include "ringway/http/websocket/handshake.h"

namespace ringway::http {

namespace {

constexpr int kSwitchingProtocols = 101;

absl::StatusOr<Url> ParseWebSocketUrl(std::string_view text) {
  for (const std::string_view scheme : {"ws://", "wss://"}) {
    if (!absl::StartsWithIgnoreCase(text, scheme)) continue;
    // "http" for "ws".
    return ParseUrl(absl::StrCat("http", text.substr(2)));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no URL of a WebSocket: ", text));
}

absl::Status CheckOptions(const WebSocketClientOptions& options) {
  if (absl::Status s = CheckClientOptions(options.connection); !s.ok())
    return s;
  if (absl::Status s = CheckWebSocketOptions(options.socket); !s.ok()) return s;
  if (options.goodbye_timeout < absl::ZeroDuration())
    return absl::InvalidArgumentError("goodbye_timeout must not be negative");
  return options.headers.status();
}

// Which of the protocols that were offered the response names; DataLoss if the
// response is not that of a WebSocket server (RFC 6455, section 4.1).
absl::StatusOr<std::string_view> CheckResponse(
    const Headers& headers, std::string_view key,
    const std::vector<std::string>& offered) {
  if (!headers.HasElement("Upgrade", "websocket") ||
      !headers.HasElement("Connection", "Upgrade") ||
      headers.Count("Sec-WebSocket-Accept") != 1 ||
      headers.Find("Sec-WebSocket-Accept") != internal::AcceptKey(key)) {
    return absl::DataLossError("the server has answered no handshake");
  }
  if (headers.Has("Sec-WebSocket-Extensions"))
    return absl::DataLossError("an extension that was not offered");
  const std::optional<std::string_view> chosen =
      headers.Find("Sec-WebSocket-Protocol");
  if (!chosen.has_value()) return std::string_view();
  const auto found = std::find(offered.begin(), offered.end(), *chosen);
  if (found == offered.end() || headers.Count("Sec-WebSocket-Protocol") > 1)
    return absl::DataLossError("a protocol that was not offered");
  return *found;
}

}  // namespace

Task<absl::StatusOr<std::unique_ptr<WebSocketClient>>> WebSocketClient::Connect(
    std::string url, WebSocketClientOptions given) {
  if (absl::Status s = CheckOptions(given); !s.ok()) co_return s;
  const absl::StatusOr<Url> where = ParseWebSocketUrl(url);
  if (!where.ok()) co_return where.status();
  auto options =
      std::make_unique<const WebSocketClientOptions>(std::move(given));
  const auto connection_options =
      std::make_shared<const ClientOptions>(options->connection);
  Task<absl::StatusOr<internal::NewConnection>> make = internal::MakeConnection(
      connection_options, *where, MonotonicTime::Infinite());
  const absl::StatusOr<internal::NewConnection> made = co_await std::move(make);
  if (!made.ok()) co_return made.status();
  if (made->http1 == nullptr) {
    co_return absl::FailedPreconditionError(
        "the server has agreed on HTTP/2: a WebSocket's TLS context must not "
        "offer it");
  }
  internal::Http1ClientState& connection = *made->http1;

  const std::string key = internal::NewKey();
  Headers headers = options->headers;
  headers.Set("Sec-WebSocket-Key", key);
  headers.Set("Sec-WebSocket-Version", internal::kWebSocketVersion);
  const std::vector<std::string>& protocols = options->socket.protocols;
  if (!protocols.empty())
    headers.Set("Sec-WebSocket-Protocol", absl::StrJoin(protocols, ", "));
  OutgoingRequest request(Method::kGet, where->target, where->authority,
                          headers);
  request.user_agent = options->connection.user_agent;
  request.upgrade = "websocket";
  Task<absl::Status> send = connection.Send(request, {});
  absl::Status status = co_await std::move(send);
  if (!status.ok()) co_return status;
  Task<absl::Status> read = connection.ReadHead();
  status = co_await std::move(read);
  if (!status.ok()) co_return status;
  const int code = connection.head().status_code;
  if (code != kSwitchingProtocols) {
    connection.Cut();
    co_return absl::FailedPreconditionError(
        absl::StrCat("the server has answered with ", code, ": ", url));
  }
  const absl::StatusOr<std::string_view> protocol =
      CheckResponse(connection.head().headers, key, protocols);
  if (!protocol.ok()) {
    connection.Cut();
    co_return protocol.status();
  }
  std::unique_ptr<OwnedTunnel> tunnel = connection.TakeTunnel();
  const std::string_view agreed = *protocol;  // in the options
  co_return std::make_unique<WebSocketClient>(std::move(tunnel),
                                              std::move(options), agreed);
}

Task<absl::Status> WebSocketClient::Close(CloseCode code) {
  Task<absl::Status> finish = socket_.Finish(code);
  absl::Status finished = co_await std::move(finish);
  Task<absl::Status> close = tunnel_->Close(options_->goodbye_timeout);
  // The server's end is not needed: both have said Close.
  (co_await std::move(close)).IgnoreError();
  co_return finished;
}

}  // namespace ringway::http
