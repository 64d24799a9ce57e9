// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/tls_context.h"

namespace ringway::net {

absl::StatusOr<TlsContext> TlsContext::Server(TlsServerOptions options) {
  auto state = internal::ContextState::Server(std::move(options));
  if (!state.ok()) return state.status();
  return TlsContext(*std::move(state));
}

absl::StatusOr<TlsContext> TlsContext::Client(TlsClientOptions options) {
  auto state = internal::ContextState::Client(std::move(options));
  if (!state.ok()) return state.status();
  return TlsContext(*std::move(state));
}

}  // namespace ringway::net
