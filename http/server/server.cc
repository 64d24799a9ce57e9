// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/server.h"

#include <string>

#include "ringway/core/check.h"

namespace ringway::http {

Server::Server(Handler handler, ServerOptions options) {
  const absl::Status valid = CheckServerOptions(options);
  RINGWAY_CHECK(valid.ok(), "%s", std::string(valid.message()).c_str());
  RINGWAY_CHECK(handler != nullptr, "a server without a handler");
  core_ = std::make_shared<const internal::ServerCore>(std::move(handler),
                                                       std::move(options));
}

Server::Server(Router router, ServerOptions options)
    : Server(
          [router = std::make_shared<const Router>(std::move(router))](
              Request& request, ResponseWriter& response) {
            return router->Serve(request, response);
          },
          std::move(options)) {}

}  // namespace ringway::http
