// SPDX-License-Identifier: Apache-2.0
//
// ServerOptions: the limits and deadlines of an HTTP server.

#ifndef RINGWAY_HTTP_SERVER_SERVER_OPTIONS_H_
#define RINGWAY_HTTP_SERVER_SERVER_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/http/http1/request_limits.h"
#include "ringway/http/http2/http2_limits.h"
#include "ringway/http/message/method.h"
#include "ringway/net/socket_address.h"

namespace ringway::http {

// What became of one request. Views are valid during the call.
struct AccessEntry {
  const net::SocketAddress& peer;
  std::string_view method;
  std::string_view target;
  int status_code = 0;  // 0: the client got none
  uint64_t body_bytes = 0;
  absl::Duration duration;     // from the end of its head
  const absl::Status& status;  // of the handler, or why it was refused
};

struct ServerOptions {
  ServerOptions() {}

  // Of heads: 414 and 431.
  RequestLimits request;
  // Of connections by HTTP/2: they end with GOAWAY.
  Http2Limits http2;
  // Bytes of a request's body: 413.
  uint64_t max_body_bytes = uint64_t{64} << 20;
  // Bytes of a body with a Content-Length that are not read when the response
  // begins, and are read afterwards to keep the connection. With more, or with
  // a chunked body, the response says "Connection: close". HTTP/2 need not read
  // them.
  uint64_t max_unread_bytes = 64 * 1024;
  // Requests of one connection, after which it is closed.
  uint64_t max_requests = 1'000'000;

  // From the first byte of a head, or the begin of a connection, to the end of
  // the head: 408.
  absl::Duration head_timeout = absl::Seconds(10);
  // Between requests.
  absl::Duration idle_timeout = absl::Seconds(75);
  // For the next piece of a body: 408.
  absl::Duration body_timeout = absl::Seconds(30);
  // For each write of up to 64 KiB: else the connection is cut. By HTTP/2 a
  // response is reset, too, of which the client takes less than 4 KiB in that
  // time.
  absl::Duration write_timeout = absl::Seconds(30);
  // From the end of its head until the response begins: 503.
  absl::Duration request_timeout = absl::Minutes(5);
  // From then to the end of the handler: the connection is cut, by HTTP/2 the
  // request reset. Each write has write_timeout beside it, so that a client
  // that reads gets a download or events for as long as it wants.
  absl::Duration response_timeout = absl::InfiniteDuration();
  // How long connections between two requests stay open after a drain has
  // begun, so that a request that is on its way is answered.
  absl::Duration drain_idle_time = absl::Seconds(1);
  // Whether a handler that takes long is cancelled when the client has ended
  // its side of the connection, as clients do that have gone. Then one that
  // ends its side only, and waits for the response, may get none.
  bool client_end_cancels = true;
  // What clients may send on after the last response.
  absl::Duration goodbye_timeout = absl::Seconds(2);

  // Whether a request without TLS that asks for it ("Upgrade: h2c") is answered
  // by HTTP/2. RFC 9113 has given that up, and a client can smuggle requests
  // through a proxy that passes such an Upgrade on, so only for servers that
  // clients reach directly. HTTP/2 without it: see http::Server.
  bool h2c_upgrade = false;

  // The Server field; empty for none.
  std::string server_name = "ringway";
  // Whether responses have a Date field.
  bool send_date = true;

  // Counts the requests on the page of metrics, with the label server="NAME"
  // (docs/http.md); empty: does not. One server in a process has a name.
  std::string metrics_name;

  // Called at the end of each request, on its worker; must not wait.
  std::function<void(const AccessEntry&)> on_request_end;
};

// InvalidArgument with the name and range of the first option out of range.
absl::Status CheckServerOptions(const ServerOptions& options);

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_SERVER_SERVER_OPTIONS_H_
