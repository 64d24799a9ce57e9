// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/tls_handler.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/net/tls/tls_accept.h"

namespace ringway::net {
namespace {

using Handler = std::function<Task<absl::Status>(TlsStream)>;

Task<absl::Status> Serve(TlsContext context,
                         std::shared_ptr<const Handler> handler,
                         TcpStream connection) {
  Task<absl::StatusOr<TlsStream>> accept =
      AcceptTls(std::move(context), std::move(connection));
  absl::StatusOr<TlsStream> stream = co_await std::move(accept);
  if (!stream.ok()) co_return stream.status();
  Task<absl::Status> serve = (*handler)(*std::move(stream));
  co_return co_await std::move(serve);
}

}  // namespace

std::function<Task<absl::Status>(TcpStream)> TlsHandler(TlsContext context,
                                                        Handler handler) {
  RINGWAY_CHECK(context.is_server(), "TlsHandler() with a client's context");
  auto shared = std::make_shared<const Handler>(std::move(handler));
  return [context = std::move(context),
          shared = std::move(shared)](TcpStream connection) {
    return Serve(context, shared, std::move(connection));
  };
}

}  // namespace ringway::net
