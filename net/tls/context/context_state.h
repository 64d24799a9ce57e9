// SPDX-License-Identifier: Apache-2.0
//
// ContextState: the options of a TlsContext and its latest load.

#ifndef RINGWAY_NET_TLS_CONTEXT_CONTEXT_STATE_H_
#define RINGWAY_NET_TLS_CONTEXT_CONTEXT_STATE_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/net/tls/context/loaded_context.h"
#include "ringway/net/tls/context/shared_state.h"
#include "ringway/net/tls/tls_options.h"

namespace ringway::net::internal {

// Threads: any.
class ContextState {
 public:
  static absl::StatusOr<std::shared_ptr<ContextState>> Server(
      TlsServerOptions options);
  static absl::StatusOr<std::shared_ptr<ContextState>> Client(
      TlsClientOptions options);

  absl::Status Reload();

  bool is_server() const {
    return std::holds_alternative<TlsServerOptions>(options_);
  }
  std::shared_ptr<const LoadedContext> loaded() const {
    const std::scoped_lock lock(mutex_);
    return loaded_;
  }
  SharedState& shared() const { return *shared_; }

  absl::Duration handshake_timeout() const { return handshake_timeout_; }
  // Of a server.
  size_t max_handshakes() const {
    return std::get<TlsServerOptions>(options_).max_handshakes;
  }
  bool offload_rsa() const {
    return std::get<TlsServerOptions>(options_).offload_rsa;
  }

 private:
  using Options = std::variant<TlsServerOptions, TlsClientOptions>;

  ContextState(Options options, absl::Duration handshake_timeout,
               std::shared_ptr<SharedState> shared)
      : options_(std::move(options)),
        handshake_timeout_(handshake_timeout),
        shared_(std::move(shared)) {}

  static absl::StatusOr<std::shared_ptr<ContextState>> Make(
      Options options, std::shared_ptr<SharedState> shared);

  const Options options_;
  const absl::Duration handshake_timeout_;
  const std::shared_ptr<SharedState> shared_;
  mutable std::mutex mutex_;  // held for a copy of the pointer
  std::shared_ptr<const LoadedContext> loaded_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_CONTEXT_CONTEXT_STATE_H_
