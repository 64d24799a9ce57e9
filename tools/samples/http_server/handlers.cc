// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/samples/http_server/handlers.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/files/files.h"
#include "ringway/http/server/request.h"
#include "ringway/http/server/response_writer.h"
#include "ringway/http/websocket/websockets.h"
#include "ringway/runtime/runtime.h"
#include "zlib.h"

namespace ringway::samples {

namespace {

using http::Request;
using http::ResponseWriter;

Task<absl::Status> Hello(Request& /*request*/, ResponseWriter& response) {
  return response.Send(200, "Hello, World!");
}

// Of one worker, so that counting needs no lock.
struct Answers {
  uint64_t n = 0;
};

Task<absl::Status> DescribeWorker(Request& /*request*/,
                                  ResponseWriter& response) {
  const std::string json =
      absl::StrFormat("{\"worker\": %d, \"answers\": %d}\n", CurrentWorker(),
                      ++Local<Answers>().n);
  response.headers().Set("Content-Type", "application/json");
  co_return co_await response.Send(200, json);
}

Task<absl::Status> Upload(Request& request, ResponseWriter& response) {
  std::array<std::byte, 16 * 1024> buffer;
  uint64_t n_bytes = 0;
  uLong sum = crc32(0, nullptr, 0);
  while (true) {
    const absl::StatusOr<size_t> n = co_await request.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) break;
    sum = crc32(sum, reinterpret_cast<const Bytef*>(buffer.data()),
                static_cast<uInt>(*n));
    n_bytes += *n;
  }
  const std::string json =
      absl::StrFormat("{\"bytes\": %d, \"crc32\": \"%08x\"}\n", n_bytes, sum);
  response.headers().Set("Content-Type", "application/json");
  co_return co_await response.Send(200, json);
}

// Until the client has gone, or the server drains.
Task<absl::Status> Events(Request& /*request*/, ResponseWriter& response) {
  response.headers().Set("Content-Type", "text/event-stream");
  response.headers().Set("Cache-Control", "no-store");
  absl::Status status = co_await response.Start(200);
  CancelToken drain = DrainToken();
  for (int i = 0; status.ok(); ++i) {
    const std::string event =
        absl::StrFormat("id: %d\ndata: tick %d\n\n", i, i);
    status = co_await response.Write(event);
    if (!status.ok()) break;
    status = co_await WithToken(drain, Sleep(absl::Seconds(1)));
    if (drain.cancelled()) co_return absl::OkStatus();
  }
  co_return status;
}

Task<absl::Status> Echo(Request& /*request*/, http::WebSocket& socket) {
  while (true) {
    const auto message = co_await socket.Receive();
    if (!message.ok()) co_return message.status();
    if (!message->has_value()) co_return absl::OkStatus();
    const absl::Status sent = co_await socket.Send(**message);
    if (!sent.ok()) co_return sent;
  }
}

}  // namespace

http::Router MakeRouter(const std::string& root) {
  http::Router router;
  router.Get("/hello", Hello);
  router.Get("/api/worker", DescribeWorker);
  router.Put("/upload", Upload);
  router.Post("/upload", Upload);
  router.Get("/events", Events);
  router.Get("/echo", http::WebSockets(Echo));
  if (!root.empty()) router.Get("/*path", http::Files(root));
  return router;
}

}  // namespace ringway::samples
