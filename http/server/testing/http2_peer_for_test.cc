// SPDX-License-Identifier: Apache-2.0
//
// An HTTP server for tests with other clients.
//
//   http2_peer_for_test FOLDER
//
// Prints two ports of 127.0.0.1: a plain one, and one of TLS with the server's
// certificate of FOLDER that offers "h2" and "http/1.1".

#include <array>
#include <cstdio>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/executor/task/executor.h"
#include "ringway/http/server/server.h"
#include "ringway/net/tcp.h"
#include "ringway/net/tls/tls_context.h"
#include "ringway/net/tls/tls_handler.h"
#include "ringway/runtime/serving/server.h"

namespace ringway::http {
namespace {

Task<absl::Status> Hello(Request& request, ResponseWriter& response) {
  const std::string text =
      absl::StrCat("hello by ", request.is_secure() ? "TLS" : "TCP", "\n");
  co_return co_await response.Send(200, text);
}

Task<absl::Status> Large(Request& /*request*/, ResponseWriter& response) {
  const std::string text(3'000'000, 'x');
  co_return co_await response.Send(200, text);
}

Task<absl::Status> Echo(Request& request, ResponseWriter& response) {
  absl::Status sent = co_await response.Start(200);
  std::array<std::byte, 16384> buffer;
  while (sent.ok()) {
    Task<absl::StatusOr<size_t>> read = request.Read(buffer);
    const absl::StatusOr<size_t> n = co_await std::move(read);
    if (!n.ok()) co_return n.status();
    if (*n == 0) break;
    Task<absl::Status> write = response.Write(std::span(buffer).first(*n));
    sent = co_await std::move(write);
  }
  co_return sent;
}

template <typename T>
T Must(absl::StatusOr<T> value) {
  RINGWAY_CHECK(value.ok(), "%s", value.status().ToString().c_str());
  return *std::move(value);
}

int Main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  net::TlsServerOptions tls;
  tls.certificates = {{net::TlsPem::File(absl::StrCat(folder, "/server.pem")),
                       net::TlsPem::File(absl::StrCat(folder, "/server.key"))}};
  tls.alpn = {"h2", "http/1.1"};
  const net::TlsContext context = Must(net::TlsContext::Server(tls));
  Router router;
  router.Get("/hello", Hello).Get("/large", Large).Post("/echo", Echo);
  const Server handler(std::move(router));

  auto executor = Must(Executor::Create());
  ringway::Server server(*executor);
  for (const bool secure : {false, true}) {
    net::TcpListener listener = Must(net::TcpListener::Listen(
        executor->loop(), Must(net::SocketAddress::Parse("127.0.0.1:0"))));
    printf("%d\n", Must(listener.LocalAddress()).port());
    const absl::Status listens =
        secure ? server.Listen(std::move(listener),
                               net::TlsHandler(context, handler))
               : server.Listen(std::move(listener), handler);
    RINGWAY_CHECK(listens.ok(), "%s", listens.ToString().c_str());
  }
  fflush(stdout);
  return executor->Run(server.Run()).ok() ? 0 : 1;
}

}  // namespace
}  // namespace ringway::http

int main(int argc, char** argv) { return ringway::http::Main(argc, argv); }
