// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/client_exchange.h"

#include <utility>

namespace ringway::http::internal {

Task<absl::Status> WriteAll(RequestBody& body, BodySink& sink,
                            Headers& trailers) {
  if (!body.write) {
    const std::span<const std::byte> bytes =
        std::as_bytes(std::span(body.bytes));
    Task<absl::Status> write = sink.WriteBody(bytes);
    co_return co_await std::move(write);
  }
  body.begun = true;
  BodyWriter writer(sink);
  absl::Status written;
  try {
    Task<absl::Status> write = body.write(writer);
    written = co_await std::move(write);
  } catch (...) {
    written =
        absl::InternalError("the function of a request's body has thrown");
  }
  trailers = std::move(writer.trailers());
  co_return written;
}

}  // namespace ringway::http::internal
