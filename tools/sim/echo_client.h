// SPDX-License-Identifier: Apache-2.0
//
// EchoClient: talks to a server that sends everything back, and checks every
// byte.

#ifndef RINGWAY_TOOLS_SIM_ECHO_CLIENT_H_
#define RINGWAY_TOOLS_SIM_ECHO_CLIENT_H_

#include <netinet/in.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/sim/simulation.h"

namespace ringway::simulation {

class EchoClient {
 public:
  // Of all clients of a simulation it is the `number`-th.
  EchoClient(Simulation& simulation, const sockaddr_in& server,
             uint64_t number);

  // Has its sessions, one after the other. Without bad luck everything comes
  // back; with it a session may end early, and what came before is exact.
  //
  // Errors: DataLoss for a wrong byte, Internal for a result that only a
  //         mistake has.
  Task<absl::Status> Run();

  // How many sessions each has.
  static uint64_t SessionsIn(const Simulation& simulation);

 private:
  Task<absl::Status> RunSession();
  Task<absl::Status> Converse(int fd);
  Task<absl::Status> Finish(int fd);
  Task<absl::Status> SendUntil(int fd, uint64_t end);
  Task<absl::Status> ReceiveUntil(int fd, uint64_t end);
  absl::Status Judge(const char* what, int32_t result);

  Simulation& simulation_;
  const sockaddr_in server_;
  uint64_t stream_;
  uint64_t offset_sent_ = 0;
  uint64_t offset_received_ = 0;
  bool over_ = false;  // ended early, by bad luck
  std::array<std::byte, 1500> buffer_;
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_ECHO_CLIENT_H_
