// SPDX-License-Identifier: Apache-2.0
//
// An echo server whose requests cost processor time, so that one load generator
// can offer several times what it can do.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/net/tcp.h"
#include "ringway/runtime/runtime.h"
#include "ringway/tools/command_line/command_line.h"
#include "ringway/tools/samples/server_flags.h"

namespace {

void Work(absl::Duration duration) {
  const auto end =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(duration);
  while (std::chrono::steady_clock::now() < end) {
  }
}

ringway::Task<absl::Status> Serve(ringway::net::TcpStream stream, size_t size,
                                  absl::Duration work) {
  size_t n_begun = 0;  // bytes of a request that is not complete
  absl::StatusOr<ringway::net::ReceivedBuffer> received =
      co_await stream.Receive();
  while (received.ok() && !received->empty()) {
    n_begun += received->bytes().size();
    for (; n_begun >= size; n_begun -= size) Work(work);
    const absl::Status sent = co_await stream.Write(received->bytes());
    if (!sent.ok()) co_return sent;
    received = co_await stream.Receive();
  }
  co_return received.status();
}

}  // namespace

int main(int argc, char** argv) {
  std::string listen = "127.0.0.1:7878";
  int size = 64;
  absl::Duration work = absl::Microseconds(20);
  ringway::CommandLine flags(
      "busy_echo",
      "sends back what each connection sends, after work for each request");
  flags.Add("listen", "address to listen on; port 0 lets the kernel choose",
            &listen);
  flags.Add("size", "bytes of a request", &size, 1, 1 << 20);
  flags.Add("work", "processor time that each request takes", &work);
  ringway::ServerFlags server(flags);
  if (std::optional<int> code = flags.Parse(argc, argv)) return *code;
  const absl::Status address = ringway::CheckListenAddress(listen);
  if (!address.ok()) return flags.Complain(address.message());

  ringway::Runtime::Builder builder;
  const absl::Status applied = server.ApplyTo(builder);
  if (!applied.ok()) return flags.Complain(applied.message());
  builder.Listen(listen, [size, work](ringway::net::TcpStream stream) {
    return Serve(std::move(stream), static_cast<size_t>(size), work);
  });
  return ringway::RunUntilSignal(builder);
}
