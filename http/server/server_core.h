// SPDX-License-Identifier: Apache-2.0
//
// ServerCore: what the connections of a server share.

#ifndef RINGWAY_HTTP_SERVER_SERVER_CORE_H_
#define RINGWAY_HTTP_SERVER_SERVER_CORE_H_

#include <utility>

#include "ringway/http/server/handler.h"
#include "ringway/http/server/server_options.h"

namespace ringway::http::internal {

// Never changes, so all workers use it.
struct ServerCore {
  ServerCore(Handler h, ServerOptions o)
      : handler(std::move(h)), options(std::move(o)) {}

  const Handler handler;
  const ServerOptions options;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_SERVER_CORE_H_
