// SPDX-License-Identifier: Apache-2.0
//
// Secure: makes the TLS stream of an end.

#ifndef RINGWAY_NET_STREAM_MODEL_SECURE_H_
#define RINGWAY_NET_STREAM_MODEL_SECURE_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/stream_model/plan.h"
#include "ringway/net/tcp.h"
#include "ringway/net/tls/tls_stream.h"

namespace ringway::net::model {

// Performs the handshake of a pair's `side`: 0 is the client. `security` must
// not be kNone (checked).
Task<absl::StatusOr<TlsStream>> Secure(Security security, size_t side,
                                       TcpStream transport);

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_SECURE_H_
