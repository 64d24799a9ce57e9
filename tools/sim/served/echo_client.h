// SPDX-License-Identifier: Apache-2.0
//
// EchoClient: talks to an echo server and checks every byte.

#ifndef RINGWAY_TOOLS_SIM_SERVED_ECHO_CLIENT_H_
#define RINGWAY_TOOLS_SIM_SERVED_ECHO_CLIENT_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tcp.h"
#include "ringway/tools/sim/scenario.h"

namespace ringway::simulation {

class EchoClient {
 public:
  // The `number`-th client of a trial.
  EchoClient(Trial& trial, const net::SocketAddress& server, uint64_t number);

  // Runs its sessions, one after the other. Without faults everything is
  // echoed; with faults a session may end early, but the bytes before are
  // exact.
  //
  // Errors: DataLoss for a wrong byte, Internal for errors that only a bug
  //         causes.
  Task<absl::Status> Run();

  // The number of sessions of each client.
  static uint64_t SessionsIn(const Trial& trial);

 private:
  Task<absl::Status> RunSession();
  Task<absl::Status> Converse(net::TcpStream& stream);
  Task<absl::Status> TakeTurns(net::TcpStream& stream);
  Task<absl::Status> AllAtOnce(net::TcpStream& stream);
  Task<absl::Status> Finish(net::TcpStream& stream);
  Task<absl::Status> Leave(net::TcpStream stream);
  Task<absl::Status> SendUntil(net::TcpStream& stream, uint64_t end);
  Task<absl::Status> ReceiveUntil(net::TcpStream& stream, uint64_t end);
  Task<absl::Status> ExpectEnd(net::TcpStream& stream);
  // Ends the session and all its waits.
  absl::Status Break(net::TcpStream& stream, std::string_view what,
                     const absl::Status& status);
  absl::Status Judge(std::string_view what, const absl::Status& status);

  Trial& trial_;
  const net::SocketAddress server_;
  uint64_t stream_;
  uint64_t offset_sent_ = 0;
  uint64_t offset_received_ = 0;
  bool over_ = false;  // ended early, by a fault or by its own decision
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_SERVED_ECHO_CLIENT_H_
