// SPDX-License-Identifier: Apache-2.0
//
// Handler: answers requests.

#ifndef RINGWAY_HTTP_SERVER_HANDLER_H_
#define RINGWAY_HTTP_SERVER_HANDLER_H_

#include <functional>

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/server/request.h"
#include "ringway/http/server/response_writer.h"

namespace ringway::http {

// Called for each request, on any worker, several at a time. Its task belongs
// to the connection: it is cancelled when the client has gone, when
// ServerOptions::request_timeout is over, and when a drain ends.
//
// If it returns an error before it has begun to answer, the client gets
// StatusCodeOf() that error without its text, which may be none of the
// client's business; if it has begun, or throws, the connection is cut, which
// is how a client knows that the response is not whole. OK without an answer is
// 500.
using Handler = std::function<Task<absl::Status>(Request&, ResponseWriter&)>;

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_SERVER_HANDLER_H_
