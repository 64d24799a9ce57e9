// SPDX-License-Identifier: Apache-2.0
//
// TlsContext: certificates, roots and rules of one side of TLS connections.
//
//   absl::StatusOr<net::TlsContext> context = net::TlsContext::Server(options);
//   if (!context.ok()) return context.status();
//   auto stream = co_await net::AcceptTls(*context, std::move(connection));

#ifndef RINGWAY_NET_TLS_TLS_CONTEXT_H_
#define RINGWAY_NET_TLS_TLS_CONTEXT_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/net/tls/context/context_state.h"
#include "ringway/net/tls/tls_options.h"
#include "ringway/net/tls/tls_statistics.h"

namespace ringway::net {

namespace internal {
struct TlsContextAccess;
}  // namespace internal

// A handle; copies share one context. One context serves all workers: their
// clients then resume sessions on any of them.
//
// Threads: any.
class TlsContext {
 public:
  // Reads the files of `options`, which blocks.
  //
  // Errors: InvalidArgument, naming the option, the file, the line and the
  //         entry of what cannot be used; those of reading files, such as
  //         NotFound and PermissionDenied.
  static absl::StatusOr<TlsContext> Server(TlsServerOptions options);
  static absl::StatusOr<TlsContext> Client(TlsClientOptions options);

  // Reads the files again, which blocks: call it by RunBlocking(). Handshakes
  // that begin later use what was read; connections go on with what they have.
  // Ticket keys stay; a client forgets its sessions.
  //
  // Errors: as Server(). Nothing has changed then.
  absl::Status Reload() { return state_->Reload(); }

  bool is_server() const { return state_->is_server(); }
  TlsStatistics statistics() const { return state_->shared().counters.Read(); }

 private:
  friend struct internal::TlsContextAccess;

  explicit TlsContext(std::shared_ptr<internal::ContextState> state)
      : state_(std::move(state)) {}

  std::shared_ptr<internal::ContextState> state_;
};

namespace internal {

struct TlsContextAccess {
  static ContextState& Of(const TlsContext& context) { return *context.state_; }
};

}  // namespace internal
}  // namespace ringway::net

#endif  // RINGWAY_NET_TLS_TLS_CONTEXT_H_
