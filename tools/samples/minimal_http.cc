// SPDX-License-Identifier: Apache-2.0
//
// The smallest HTTP server.

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/http/server/server.h"
#include "ringway/runtime/runtime.h"

ringway::Task<absl::Status> Hello(ringway::http::Request& request,
                                  ringway::http::ResponseWriter& response) {
  std::string text = absl::StrCat("Hello, ", request.Param("name"), "!\n");
  co_return co_await response.Send(200, text);
}

int main() {
  ringway::http::Router router;
  router.Get("/hello/:name", Hello);
  ringway::Runtime::Builder builder;
  builder.Listen("127.0.0.1:8080", ringway::http::Server(std::move(router)));
  return ringway::RunUntilSignal(builder);
}
