// SPDX-License-Identifier: Apache-2.0
//
// ServerCore: what the connections of a server share.

#ifndef RINGWAY_HTTP_SERVER_SERVER_CORE_H_
#define RINGWAY_HTTP_SERVER_SERVER_CORE_H_

#include <utility>

#include "ringway/http/server/handler.h"
#include "ringway/http/server/server_metrics.h"
#include "ringway/http/server/server_options.h"

namespace ringway::http::internal {

// Never changes, so all workers use it.
struct ServerCore {
  ServerCore(Handler h, ServerOptions o, ServerMetrics m)
      : handler(std::move(h)), options(std::move(o)), metrics(std::move(m)) {}

  // Counts and tells of a request that has ended.
  void OnRequestEnd(const AccessEntry& entry) const {
    metrics.OnRequestEnd(entry.status_code, entry.body_bytes, entry.duration);
    if (options.on_request_end) options.on_request_end(entry);
  }

  const Handler handler;
  const ServerOptions options;
  mutable ServerMetrics metrics;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_SERVER_CORE_H_
