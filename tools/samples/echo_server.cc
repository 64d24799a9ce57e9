// SPDX-License-Identifier: Apache-2.0
//
// An echo server with flags: sends back what each connection sends, until
// SIGINT or SIGTERM. tools/samples/minimal_echo.cc is the same without the
// flags.

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/backends/backend_options.h"
#include "ringway/executor/loop/spinner.h"
#include "ringway/net/tcp.h"
#include "ringway/runtime/runtime.h"
#include "ringway/tools/command_line/command_line.h"

namespace {

// Receives into a buffer of its own.
ringway::Task<absl::Status> EchoOwn(ringway::net::TcpStream stream) {
  std::array<std::byte, 16 * 1024> buffer;
  while (true) {
    absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return absl::OkStatus();
    absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
    if (!sent.ok()) co_return sent;
  }
}

// Sends back from the worker's buffers, where the bytes arrived: no copy, and
// an idle connection holds no buffer. Peers that do not read hold a few, until
// those run low and what they send is copied.
ringway::Task<absl::Status> EchoLent(ringway::net::TcpStream stream) {
  while (true) {
    absl::StatusOr<ringway::net::ReceivedBuffer> received =
        co_await stream.Receive();
    if (!received.ok()) co_return received.status();
    if (received->empty()) co_return absl::OkStatus();
    absl::Status sent = co_await stream.Write(received->bytes());
    if (!sent.ok()) co_return sent;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string listen = "127.0.0.1:7878";
  std::string backend = "auto";
  std::string receive = "lent";
  std::string spin = "adaptive";
  int workers = 1;
  int pin = -1;
  absl::Duration duration = absl::ZeroDuration();
  ringway::CommandLine flags("echo_server",
                             "sends back what each connection sends");
  flags.Add("listen", "address to listen on; port 0 lets the kernel choose",
            &listen);
  flags.Add("workers", "worker threads", &workers, 1, 1024);
  flags.Add("pin",
            "CPU of the first worker, the next ones follow; -1 pins nothing",
            &pin, -1, 1023);
  flags.Add("backend", "auto, uring or epoll", &backend);
  flags.Add("receive",
            "lent: into the worker's buffers; own: into one per connection",
            &receive);
  flags.Add("spin", "off, adaptive or fixed: spinning before a worker blocks",
            &spin);
  flags.Add("duration",
            "stop after this time; 0 serves until SIGINT or SIGTERM",
            &duration);
  if (std::optional<int> code = flags.Parse(argc, argv)) return *code;

  absl::StatusOr<ringway::BackendKind> kind =
      ringway::ParseBackendKind(backend);
  if (!kind.ok()) return flags.Complain(kind.status().message());
  absl::StatusOr<ringway::SpinMode> spin_mode = ringway::ParseSpinMode(spin);
  if (!spin_mode.ok()) return flags.Complain(spin_mode.status().message());
  absl::StatusOr<ringway::net::SocketAddress> address =
      ringway::net::SocketAddress::Parse(listen);
  if (!address.ok()) return flags.Complain(address.status().message());

  if (receive != "own" && receive != "lent") {
    return flags.Complain("--receive is neither own nor lent");
  }

  ringway::ExecutorOptions options;
  options.loop.backend.kind = *kind;
  options.loop.spin = *spin_mode;
  ringway::Runtime::Builder builder;
  builder.Workers(workers).Pin(pin).Options(options).Listen(
      listen, receive == "lent" ? EchoLent : EchoOwn);
  return ringway::RunUntilSignal(builder, duration > absl::ZeroDuration()
                                              ? duration
                                              : absl::InfiniteDuration());
}
