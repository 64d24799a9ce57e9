// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/tls/listen_tls.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "ringway/net/tls/tls_handler.h"
#include "ringway/runtime/runtime_config.h"

namespace ringway {
namespace internal {

struct TlsListening {
  static void Watch(RuntimeBuilder& builder, std::string name,
                    const net::TlsContext& context) {
    const void* identity = &net::internal::TlsContextAccess::Of(context);
    std::vector<TlsConfig>& watched = builder.config_->tls;
    if (std::ranges::find(watched, identity, &TlsConfig::identity) !=
        watched.end()) {
      return;
    }
    watched.push_back({std::move(name), identity,
                       [context] { return context.statistics(); }});
  }
};

}  // namespace internal

void AddTlsListener(RuntimeBuilder& builder, std::string_view address,
                    const net::TlsContext& context,
                    TlsConnectionHandler handler,
                    const ListenerOptions& options) {
  internal::TlsListening::Watch(
      builder, options.name.empty() ? std::string(address) : options.name,
      context);
  builder.Listen(address, net::TlsHandler(context, std::move(handler)),
                 options);
}

}  // namespace ringway
