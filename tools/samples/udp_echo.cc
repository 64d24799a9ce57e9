// SPDX-License-Identifier: Apache-2.0
//
// A UDP echo server: on each worker one task, which receives what has arrived
// and sends it back from where it lies, each by one system call.

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/net/udp_socket.h"
#include "ringway/runtime/runtime.h"
#include "ringway/tools/command_line/command_line.h"
#include "ringway/tools/samples/server_flags.h"

namespace {

using ringway::net::LentDatagram;
using ringway::net::OutgoingDatagram;
using ringway::net::UdpSocket;

ringway::Task<absl::Status> Echo(UdpSocket& socket) {
  std::array<LentDatagram, 32> received;
  std::array<OutgoingDatagram, 32> replies;
  while (true) {
    absl::StatusOr<size_t> n = co_await socket.ReceiveBatch(received);
    if (!n.ok()) co_return n.status();
    for (size_t i = 0; i < *n; ++i) {
      replies[i].bytes = received[i].bytes.bytes();
      replies[i].receiver = received[i].sender;
    }
    absl::StatusOr<size_t> sent =
        co_await socket.SendBatch(std::span(replies).first(*n));
    if (!sent.ok()) co_return sent.status();
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string listen = "127.0.0.1:7878";
  ringway::CommandLine flags("udp_echo", "sends back each datagram");
  flags.Add("listen",
            "address; port 0: the kernel chooses; inherited:NAME is a socket "
            "of a service manager",
            &listen);
  ringway::ServerFlags server(flags);
  if (std::optional<int> code = flags.Parse(argc, argv)) return *code;
  const absl::Status address = ringway::CheckListenAddress(listen);
  if (!address.ok()) return flags.Complain(address.message());

  ringway::Runtime::Builder builder;
  const absl::Status applied = server.ApplyTo(builder);
  if (!applied.ok()) return flags.Complain(applied.message());
  builder.BindUdp(listen, Echo);
  return ringway::RunUntilSignal(builder);
}
