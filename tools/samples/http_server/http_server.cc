// SPDX-License-Identifier: Apache-2.0
//
// An HTTP server with flags: the files of a folder, and one handler of each
// kind (handlers.h). README.md shows it.

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/http/server/access_log.h"
#include "ringway/http/server/router.h"
#include "ringway/http/server/server.h"
#include "ringway/http/server/server_options.h"
#include "ringway/net/tls/tls_context.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/tls/listen_tls.h"
#include "ringway/tools/command_line/command_line.h"
#include "ringway/tools/samples/http_server/handlers.h"
#include "ringway/tools/samples/server_flags.h"
#include "ringway/tools/samples/tls_flags.h"

int main(int argc, char** argv) {
  std::string listen = "127.0.0.1:8080";
  std::string root;
  std::string log_file;
  ringway::CommandLine flags("http_server", "serves files and more by HTTP");
  flags.Add("listen",
            "address to listen on; port 0 lets the kernel choose; "
            "inherited:NAME is a socket of a service manager",
            &listen);
  flags.Add("root", "folder whose files are served; none without", &root);
  flags.Add("access-log",
            "file with a line for each request, - for the standard output; "
            "none without",
            &log_file);
  bool h2c_upgrade = false;
  flags.Add("h2c-upgrade",
            "answer by HTTP/2 if a request without TLS asks for that by "
            "Upgrade; not behind a proxy",
            &h2c_upgrade);
  ringway::ServerFlags server(flags);
  ringway::TlsFlags tls(flags);
  if (std::optional<int> code = flags.Parse(argc, argv)) return *code;
  const absl::Status address = ringway::CheckListenAddress(listen);
  if (!address.ok()) return flags.Complain(address.message());

  ringway::Runtime::Builder builder;
  const absl::Status applied = server.ApplyTo(builder);
  if (!applied.ok()) return flags.Complain(applied.message());
  const absl::StatusOr<std::optional<ringway::net::TlsContext>> context =
      tls.ContextFor(builder, {"h2", "http/1.1", "http/1.0"});
  if (!context.ok()) return flags.Complain(context.status().message());

  ringway::http::ServerOptions options;
  options.metrics_name = "http_server";
  options.h2c_upgrade = h2c_upgrade;
  if (!log_file.empty()) {
    absl::StatusOr<ringway::http::AccessLog> log =
        log_file == "-" ? ringway::http::AccessLog::To(1)
                        : ringway::http::AccessLog::Open(log_file);
    if (!log.ok()) return flags.Complain(log.status().message());
    options.on_request_end = *log;
    builder.OnStop([log = *log] { return log.Flush(); });
  }
  const ringway::http::Server http(ringway::samples::MakeRouter(root),
                                   std::move(options));
  if (context->has_value()) {
    builder.ListenTls(listen, **context, http);
  } else {
    builder.Listen(listen, http);
  }
  return ringway::RunUntilSignal(builder);
}
