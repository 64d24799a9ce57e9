// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tcp.h"
#include "ringway/runtime/runtime.h"

ringway::Task<absl::Status> Echo(ringway::net::TcpStream stream) {
  std::array<std::byte, 16 * 1024> buffer;
  while (true) {
    absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return absl::OkStatus();  // the peer has finished
    absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
    if (!sent.ok()) co_return sent;
  }
}

int main() {
  ringway::Runtime::Builder builder;
  builder.Listen("127.0.0.1:7878", Echo);
  return ringway::RunUntilSignal(builder);
}
