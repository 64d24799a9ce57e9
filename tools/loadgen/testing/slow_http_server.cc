// SPDX-License-Identifier: Apache-2.0
//
// A server of HTTP that answers each request after a known time: what the load
// generator measures can be compared with it.

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/http/server/server.h"
#include "ringway/runtime/runtime.h"
#include "ringway/tools/command_line/command_line.h"

int main(int argc, char** argv) {
  std::string listen = "127.0.0.1:0";
  static absl::Duration delay;
  static int bytes = 5;
  ringway::CommandLine line("slow_http_server", "answers after a time");
  line.Add("listen", "address", &listen);
  line.Add("delay", "from a request to its response", &delay);
  line.Add("bytes", "of a response's body", &bytes, 0, 1 << 20);
  if (std::optional<int> code = line.Parse(argc, argv)) return *code;

  ringway::http::Router router;
  router.Get(
      "/hello",
      [](ringway::http::Request&, ringway::http::ResponseWriter& response)
          -> ringway::Task<absl::Status> {
        if (delay > absl::ZeroDuration()) {
          absl::Status slept = co_await ringway::Sleep(delay);
          if (!slept.ok()) co_return slept;
        }
        const std::string body(static_cast<size_t>(bytes), 'x');
        co_return co_await response.Send(200, body);
      });
  ringway::Runtime::Builder builder;
  builder.Listen(listen, ringway::http::Server(std::move(router)));
  return ringway::RunUntilSignal(builder);
}
