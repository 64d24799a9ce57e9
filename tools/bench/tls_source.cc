// SPDX-License-Identifier: Apache-2.0
//
// Sends on each TLS connection, once its client has said anything, blocks of
// 16 KiB for as long as the client reads; or so many bytes, and then the end.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/net/tcp.h"
#include "ringway/net/tls/tls_stream.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/tls/listen_tls.h"
#include "ringway/tools/command_line/command_line.h"
#include "ringway/tools/samples/server_flags.h"
#include "ringway/tools/samples/tls_flags.h"

namespace {

constexpr size_t kBlock = 16 * 1024;

ringway::Task<absl::Status> Serve(ringway::net::TlsStream stream, size_t n) {
  static const std::vector<std::byte> kBytes(kBlock, std::byte{'x'});
  const absl::StatusOr<ringway::net::ReceivedBuffer> asked =
      co_await stream.Receive();
  if (!asked.ok() || asked->empty()) co_return asked.status();
  while (n > 0) {
    const size_t part = std::min(n, kBlock);
    const absl::Status sent =
        co_await stream.Write(std::span(kBytes).first(part));
    if (!sent.ok()) co_return sent;
    n -= part;
  }
  co_return co_await stream.Close();  // as by hand: waits for nothing
}

}  // namespace

int main(int argc, char** argv) {
  std::string listen = "127.0.0.1:7878";
  int bytes = 0;
  ringway::CommandLine flags(
      "tls_source", "sends on each TLS connection whose client asks for it");
  flags.Add("listen", "address to listen on; port 0 lets the kernel choose",
            &listen);
  flags.Add("bytes", "to send on a connection before it ends; 0 for no end",
            &bytes, 0, std::numeric_limits<int>::max());
  ringway::ServerFlags server(flags);
  ringway::TlsFlags tls(flags);
  if (std::optional<int> code = flags.Parse(argc, argv)) return *code;
  const absl::Status address = ringway::CheckListenAddress(listen);
  if (!address.ok()) return flags.Complain(address.message());

  ringway::Runtime::Builder builder;
  const absl::Status applied = server.ApplyTo(builder);
  if (!applied.ok()) return flags.Complain(applied.message());
  const absl::StatusOr<std::optional<ringway::net::TlsContext>> context =
      tls.ContextFor(builder);
  if (!context.ok()) return flags.Complain(context.status().message());
  if (!context->has_value())
    return flags.Complain("--tls-cert and --tls-key are needed");
  const size_t n = bytes == 0 ? std::numeric_limits<size_t>::max()
                              : static_cast<size_t>(bytes);
  builder.ListenTls(listen, **context, [n](ringway::net::TlsStream stream) {
    return Serve(std::move(stream), n);
  });
  return ringway::RunUntilSignal(builder);
}
