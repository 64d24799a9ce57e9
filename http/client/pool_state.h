// SPDX-License-Identifier: Apache-2.0
//
// PoolState: what all connections of a client share. ClientStatistics: what a
// client has done.

#ifndef RINGWAY_HTTP_CLIENT_POOL_STATE_H_
#define RINGWAY_HTTP_CLIENT_POOL_STATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "ringway/core/owner_thread.h"
#include "ringway/http/client/client_options.h"

namespace ringway::http {

struct ClientStatistics {
  uint64_t requests = 0;     // exchanges begun: redirects and retries count
  uint64_t retries = 0;      // of requests that a server has not answered
  uint64_t redirects = 0;    // that were followed
  uint64_t connections = 0;  // made
  uint64_t reused = 0;       // exchanges on a connection that was there
  size_t idle = 0;           // connections that are kept now
};

namespace internal {

// Outlives the client while its requests do.
struct PoolState {
  explicit PoolState(ClientOptions o)
      : options(std::make_shared<const ClientOptions>(std::move(o))) {}

  void CheckThread() { owner.BindOrCheck("an http::Client"); }

  const std::shared_ptr<const ClientOptions> options;
  OwnerThread owner = OwnerThread::Unbound();
  ClientStatistics statistics;
  bool closed = false;  // the client has gone
};

}  // namespace internal
}  // namespace ringway::http

#endif  // RINGWAY_HTTP_CLIENT_POOL_STATE_H_
