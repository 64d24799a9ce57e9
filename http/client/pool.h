// SPDX-License-Identifier: Apache-2.0
//
// Pool: the hosts that a client has connections to.

#ifndef RINGWAY_HTTP_CLIENT_POOL_H_
#define RINGWAY_HTTP_CLIENT_POOL_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "ringway/http/client/client_options.h"
#include "ringway/http/client/pool_host.h"
#include "ringway/http/client/pool_state.h"
#include "ringway/http/message/url.h"

namespace ringway::http::internal {

class Pool {
 public:
  explicit Pool(ClientOptions options)
      : state_(std::make_shared<PoolState>(std::move(options))) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  const ClientOptions& options() const { return *state_->options; }
  PoolState& state() { return *state_; }

  // That of `url`.
  //
  // Cost: amortized, forgets hosts without connections.
  std::shared_ptr<PoolHost> HostOf(const Url& url);

  // The client has gone: closes idle connections, and those of exchanges when
  // they end.
  void Close();

 private:
  static constexpr size_t kLeastSweep = 64;

  const std::shared_ptr<PoolState> state_;
  absl::flat_hash_map<std::string, std::shared_ptr<PoolHost>> hosts_;
  size_t sweep_at_ = kLeastSweep;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_CLIENT_POOL_H_
