// SPDX-License-Identifier: Apache-2.0
//
// An echo server with flags: sends back what each connection sends, until
// SIGINT or SIGTERM; with --tls-cert and --tls-key by TLS, by the same code.
// tools/samples/minimal_echo.cc is the same without flags, TLS and OpenSSL.

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/net/tcp.h"
#include "ringway/net/tls/tls_stream.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/tls/listen_tls.h"
#include "ringway/tools/command_line/command_line.h"
#include "ringway/tools/samples/server_flags.h"
#include "ringway/tools/samples/tls_flags.h"

namespace {

// When the server drains, a client that waits is told so by the end of the
// stream, after all answers.
constexpr absl::Duration kGoodbye = absl::Seconds(5);

// Receives into a buffer of its own.
template <ringway::net::ByteStream Stream>
ringway::Task<absl::Status> EchoOwn(Stream stream) {
  ringway::CancelToken drain;  // the first message is answered in any case
  std::array<std::byte, 16 * 1024> buffer;
  while (true) {
    absl::StatusOr<size_t> n = co_await WithToken(drain, stream.Read(buffer));
    if (drain.cancelled() && !n.ok())
      co_return co_await stream.CloseGracefully(kGoodbye);
    if (!n.ok() || *n == 0) co_return n.status();
    absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
    if (!sent.ok()) co_return sent;
    if (!drain.has_source()) drain = ringway::DrainToken();
  }
}

// Sends back from the worker's buffers, where the bytes arrived: no copy, and
// an idle connection holds no buffer. Peers that do not read hold a few, until
// those run low and what they send is copied.
template <ringway::net::ByteStream Stream>
ringway::Task<absl::Status> EchoLent(Stream stream) {
  ringway::CancelToken drain;  // the first message is answered in any case
  while (true) {
    absl::StatusOr<ringway::net::ReceivedBuffer> received =
        co_await WithToken(drain, stream.Receive());
    if (drain.cancelled() && !received.ok())
      co_return co_await stream.CloseGracefully(kGoodbye);
    if (!received.ok() || received->empty()) co_return received.status();
    absl::Status sent = co_await stream.Write(received->bytes());
    if (!sent.ok()) co_return sent;
    if (!drain.has_source()) drain = ringway::DrainToken();
  }
}

template <ringway::net::ByteStream Stream>
auto HandlerOf(const std::string& receive) {
  return receive == "lent" ? &EchoLent<Stream> : &EchoOwn<Stream>;
}

}  // namespace

int main(int argc, char** argv) {
  std::string listen = "127.0.0.1:7878";
  std::string receive = "lent";
  absl::Duration duration = absl::ZeroDuration();
  ringway::CommandLine flags("echo_server",
                             "sends back what each connection sends");
  flags.Add("listen",
            "address to listen on; port 0 lets the kernel choose; "
            "inherited:NAME is a socket of a service manager",
            &listen);
  ringway::ServerFlags server(flags);
  ringway::TlsFlags tls(flags);
  flags.Add("receive",
            "lent: into the worker's buffers; own: into one per connection",
            &receive);
  flags.Add("duration",
            "stop after this time; 0 serves until SIGINT or SIGTERM",
            &duration);
  if (std::optional<int> code = flags.Parse(argc, argv)) return *code;
  if (receive != "own" && receive != "lent")
    return flags.Complain("--receive is neither own nor lent");
  const absl::Status address = ringway::CheckListenAddress(listen);
  if (!address.ok()) return flags.Complain(address.message());

  ringway::Runtime::Builder builder;
  const absl::Status applied = server.ApplyTo(builder);
  if (!applied.ok()) return flags.Complain(applied.message());
  absl::StatusOr<std::optional<ringway::net::TlsContext>> context =
      tls.ContextFor(builder);
  if (!context.ok()) return flags.Complain(context.status().message());
  if (context->has_value()) {
    builder.ListenTls(listen, **context,
                      HandlerOf<ringway::net::TlsStream>(receive));
  } else {
    builder.Listen(listen, HandlerOf<ringway::net::TcpStream>(receive));
  }
  return ringway::RunUntilSignal(builder, duration > absl::ZeroDuration()
                                              ? duration
                                              : absl::InfiniteDuration());
}
