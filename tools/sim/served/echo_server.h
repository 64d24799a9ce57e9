// SPDX-License-Identifier: Apache-2.0
//
// EchoServer: a server that replies late, from separate tasks, like a server
// that needs data from elsewhere first.
//
// So a reply must find its session again, which may have ended by then:
// sessions are identified by generational keys.

#ifndef RINGWAY_TOOLS_SIM_SERVED_ECHO_SERVER_H_
#define RINGWAY_TOOLS_SIM_SERVED_ECHO_SERVER_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "ringway/core/containers/slab.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/tcp.h"
#include "ringway/tools/sim/served/service.h"

namespace ringway::simulation {

// A client that has only shut down its sending half still gets all replies.
class EchoServer : public Service {
 public:
  EchoServer(Trial& trial, SimulatedHost& host, Port& port);

  // True if no reply is pending.
  bool idle() const override { return replies_left_ == 0; }

 private:
  struct Session {
    explicit Session(net::TcpStream s) : stream(std::move(s)) {}

    net::TcpStream stream;  // empty once a reply has dropped it
    std::string unanswered;
    bool answering = false;
    Event answered;  // or dropped
  };

  Task<void> ServeConnection(net::TcpStream stream) override;
  Task<absl::Status> TakeAll(SlabKey key);
  Task<void> Part(net::TcpStream& stream, bool failed);
  Task<void> Reply(SlabKey key);
  Task<absl::Status> SendReply(SlabKey key, std::string reply);
  Session* Find(SlabKey key);
  void GiveUp(SlabKey key);

  Slab<Session> sessions_{64};
  std::vector<SlabKey> slots_;  // sessions by slot, for Bug::kReusedSlot
  size_t replies_left_ = 0;
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_SERVED_ECHO_SERVER_H_
