// SPDX-License-Identifier: Apache-2.0
//
// EchoClient: talks to a server that sends everything back, and checks every
// byte.

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
  // Of all clients of a trial it is the `number`-th.
  EchoClient(Trial& trial, const net::SocketAddress& server, uint64_t number);

  // Has its sessions, one after the other. Without bad luck everything comes
  // back; with it a session may end early, and what came before is exact.
  //
  // Errors: DataLoss for a wrong byte, Internal for what only a mistake leads
  //         to.
  Task<absl::Status> Run();

  // How many sessions each has.
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
  // Ends the session, which is over, whatever else it waits for.
  absl::Status Break(net::TcpStream& stream, std::string_view what,
                     const absl::Status& status);
  absl::Status Judge(std::string_view what, const absl::Status& status);

  Trial& trial_;
  const net::SocketAddress server_;
  uint64_t stream_;
  uint64_t offset_sent_ = 0;
  uint64_t offset_received_ = 0;
  bool over_ = false;  // ended early, by bad luck or by its own decision
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_SERVED_ECHO_CLIENT_H_
