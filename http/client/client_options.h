// SPDX-License-Identifier: Apache-2.0
//
// ClientOptions: the limits and deadlines of an HTTP client.

#ifndef RINGWAY_HTTP_CLIENT_CLIENT_OPTIONS_H_
#define RINGWAY_HTTP_CLIENT_CLIENT_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/http/http1/received_response.h"
#include "ringway/http/http2/client/client_limits.h"
#include "ringway/net/connect.h"
#include "ringway/net/resolver/resolver.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tls/tls_context.h"

namespace ringway::http {

struct ClientOptions {
  ClientOptions() {}

  // --- Where connections go.

  // For https. HTTP/2 is spoken if it offers "h2" (TlsProtocolOptions::alpn,
  // such as {"h2", "http/1.1"}) and the server agrees.
  std::optional<net::TlsContext> tls;
  // HTTP/2 for http URLs, too, without asking the server ("prior knowledge",
  // RFC 9113, section 3.3).
  bool http2_prior_knowledge = false;
  // Null: the process's (net::DefaultResolver()). Must outlive the client.
  net::Resolver* resolver = nullptr;
  // If set, all connections go there, a Unix socket perhaps, whatever the host
  // of the URL is.
  std::optional<net::SocketAddress> connect_to;
  net::ConnectOptions connect;

  // --- The pool.

  // Connections to one host and port, idle ones among them. A host of HTTP/2
  // gets one.
  size_t max_connections_per_host = 32;
  // Requests to one host that wait for a connection: ResourceExhausted.
  size_t max_waiting_per_host = 1000;
  // Connections that are kept while they are idle, of one host and of all.
  size_t max_idle_per_host = 32;
  size_t max_idle = 256;
  // Then an idle connection is closed.
  absl::Duration idle_timeout = absl::Seconds(60);

  // --- Limits.

  // Of the heads and trailers of responses: ResourceExhausted.
  ResponseLimits response;
  Http2ClientLimits http2;
  // Redirects that are followed for one request; 0 returns them as they are.
  // With more: FailedPrecondition.
  uint32_t max_redirects = 0;

  // --- Deadlines: DeadlineExceeded, with the name of the option. Each may be
  // infinite.

  // For a place among max_connections_per_host, or among the requests that an
  // HTTP/2 server takes at one time.
  absl::Duration place_timeout = absl::Seconds(30);
  // For the look-up, the connection and the handshake of TLS together.
  absl::Duration connect_timeout = absl::Seconds(10);
  // For each 64 KiB of a request.
  absl::Duration write_timeout = absl::Seconds(30);
  // From the end of the request to the end of the response's head.
  absl::Duration head_timeout = absl::Seconds(30);
  // For the next piece of the response's body.
  absl::Duration body_timeout = absl::Seconds(30);
  // From Send() to the end of the response's body.
  absl::Duration request_timeout = absl::InfiniteDuration();
  // For the "100 Continue" of ClientRequest::expect_continue; then the body is
  // sent without it (RFC 9110, section 10.1.1).
  absl::Duration continue_timeout = absl::Seconds(1);

  // The User-Agent field; empty for none.
  std::string user_agent = "ringway";
};

// InvalidArgument with the name and range of the first option out of range.
absl::Status CheckClientOptions(const ClientOptions& options);

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_CLIENT_CLIENT_OPTIONS_H_
