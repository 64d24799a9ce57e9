// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/server.h"

#include <string>

#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/http/server/server_metrics.h"

namespace ringway::http {

Server::Server(Handler handler, ServerOptions options) {
  const absl::Status valid = CheckServerOptions(options);
  RINGWAY_CHECK(valid.ok(), "%s", std::string(valid.message()).c_str());
  RINGWAY_CHECK(handler != nullptr, "a server without a handler");
  absl::StatusOr<internal::ServerMetrics> metrics = internal::ServerMetrics();
  if (!options.metrics_name.empty())
    metrics = internal::ServerMetrics::Named(options.metrics_name);
  RINGWAY_CHECK(metrics.ok(), "http::ServerOptions::metrics_name: %s",
                std::string(metrics.status().message()).c_str());
  core_ = std::make_shared<const internal::ServerCore>(
      std::move(handler), std::move(options), *std::move(metrics));
}

Server::Server(Router router, ServerOptions options)
    : Server(
          [router = std::make_shared<const Router>(std::move(router))](
              Request& request, ResponseWriter& response) {
            return router->Serve(request, response);
          },
          std::move(options)) {}

}  // namespace ringway::http
