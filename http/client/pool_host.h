// SPDX-License-Identifier: Apache-2.0
//
// PoolHost: the connections of a client to one host and port.

#ifndef RINGWAY_HTTP_CLIENT_POOL_HOST_H_
#define RINGWAY_HTTP_CLIENT_POOL_HOST_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/sync/semaphore.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/client/client_exchange.h"
#include "ringway/http/client/http1_client_state.h"
#include "ringway/http/client/http2/http2_client_state.h"
#include "ringway/http/client/pool_state.h"
#include "ringway/http/message/url.h"

namespace ringway::http::internal {

// What an exchange by HTTP/1 holds: a place among the connections of a host,
// and the connection.
struct Http1Lease {
  std::shared_ptr<class PoolHost> host;
  SemaphorePermit place;  // of the host
  std::shared_ptr<Http1ClientState> connection;
  bool reused = false;
};

// Held by the exchanges and the client.
class PoolHost {
 public:
  // `url` is one of its requests.
  PoolHost(std::shared_ptr<PoolState> state, const Url& url);
  PoolHost(const PoolHost&) = delete;
  PoolHost& operator=(const PoolHost&) = delete;

  const ClientOptions& options() const { return *state_->options; }
  PoolState& state() { return *state_; }

  // A connection for one exchange, which is not done before `deadline`.
  // `fresh`: one that no exchange has used.
  //
  // Errors:       DeadlineExceeded: ClientOptions::place_timeout,
  //               connect_timeout or request_timeout. ResourceExhausted:
  //               max_waiting_per_host. Those of connecting. Cancelled.
  // Cancellation: ends the wait.
  static Task<absl::StatusOr<std::unique_ptr<ClientExchange>>> Begin(
      std::shared_ptr<PoolHost> host, bool fresh, MonotonicTime deadline);

  // The exchange is over. Keeps the connection if another may follow.
  static void Return(Http1Lease lease);

  // Closes all idle connections, and the one of HTTP/2 after its requests.
  void Close();
  // Neither connections nor exchanges, but for the caller's reference.
  bool unused() const { return idle_.empty() && http2_ == nullptr; }

 private:
  struct Idle {
    std::shared_ptr<Http1ClientState> connection;
    JoinHandle<void> watch;  // ends with the connection
  };

  using Exchange = absl::StatusOr<std::unique_ptr<ClientExchange>>;
  // When waits have to end: for a place, and for anything.
  struct Limits {
    MonotonicTime place;
    MonotonicTime request;
  };

  // HTTP/2 is possible, and to be found out by a connection.
  bool MayBeHttp2() const {
    return url_.secure ? !is_http1_ : options().http2_prior_knowledge;
  }
  // A place among `places`; Unavailable once they are closed.
  Task<absl::StatusOr<SemaphorePermit>> WaitForPlace(Semaphore& places,
                                                     Limits limits);
  // Null: look again.
  static Task<Exchange> BeginHttp2(std::shared_ptr<PoolHost> host,
                                   Limits limits);
  static Task<Exchange> BeginUnknown(std::shared_ptr<PoolHost> host,
                                     Limits limits);
  static Task<Exchange> BeginHttp1(std::shared_ptr<PoolHost> host, bool fresh,
                                   Limits limits);
  // All of them share it from now on.
  static void KeepHttp2(const std::shared_ptr<PoolHost>& host,
                        std::shared_ptr<Http2ClientState> connection);
  static Task<void> Watch(std::shared_ptr<Http1ClientState> connection,
                          std::weak_ptr<PoolHost> weak_host,
                          absl::Duration timeout);
  // The newest that is still good; null if there is none.
  Task<std::shared_ptr<Http1ClientState>> TakeIdle();
  void Forget(const Http1ClientState& connection);
  Idle PopNewest();
  void DropOldest();

  const std::shared_ptr<PoolState> state_;
  const Url url_;
  Semaphore places_;
  std::vector<Idle> idle_;                   // the newest last
  std::shared_ptr<Http2ClientState> http2_;  // if there is one
  Semaphore connecting_{1};  // while the protocol is to be found out
  bool is_http1_ = false;    // the last one by TLS was
  size_t n_waiting_ = 0;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_CLIENT_POOL_HOST_H_
