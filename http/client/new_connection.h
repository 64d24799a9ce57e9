// SPDX-License-Identifier: Apache-2.0
//
// MakeConnection: connects a client to a host.

#ifndef RINGWAY_HTTP_CLIENT_NEW_CONNECTION_H_
#define RINGWAY_HTTP_CLIENT_NEW_CONNECTION_H_

#include <memory>

#include "absl/status/statusor.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/client/client_options.h"
#include "ringway/http/client/http1_client_state.h"
#include "ringway/http/client/http2/http2_client_state.h"
#include "ringway/http/message/url.h"

namespace ringway::http::internal {

// One of both.
struct NewConnection {
  NewConnection() {}

  std::shared_ptr<Http1ClientState> http1;
  std::shared_ptr<Http2ClientState> http2;
};

// Looks the host up, connects, and for https makes the handshake, within
// ClientOptions::connect_timeout and before `deadline`.
//
// Errors: FailedPrecondition: https without ClientOptions::tls.
//         DeadlineExceeded with the name of the option. Those of
//         net::ConnectToHost() and net::ConnectTls(). Cancelled.
Task<absl::StatusOr<NewConnection>> MakeConnection(
    std::shared_ptr<const ClientOptions> options, Url url,
    MonotonicTime deadline);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_CLIENT_NEW_CONNECTION_H_
