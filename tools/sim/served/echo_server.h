// SPDX-License-Identifier: Apache-2.0
//
// EchoServer: a server that answers late, from tasks of their own, as one does
// that has to ask somebody else first.
//
// A reply must therefore find its session again, which may be gone by then:
// sessions are named by keys that go stale.

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

// A client that has only shut down its sending half still gets all the answers.
class EchoServer : public Service {
 public:
  EchoServer(Trial& trial, SimulatedHost& host, Port& port);

  // No reply is on its way.
  bool idle() const override { return replies_left_ == 0; }

 private:
  struct Session {
    explicit Session(net::TcpStream s) : stream(std::move(s)) {}

    net::TcpStream stream;  // empty once a reply has given it up
    std::string unanswered;
    bool answering = false;
    Event answered;  // or given up
  };

  Task<void> ServeConnection(net::TcpStream stream) override;
  Task<absl::Status> TakeAll(SlabKey key);
  Task<void> Part(net::TcpStream& stream, bool failed);
  Task<void> Reply(SlabKey key);
  Task<absl::Status> SendReply(SlabKey key, std::string reply);
  Session* Find(SlabKey key);
  void GiveUp(SlabKey key);

  Slab<Session> sessions_{64};
  std::vector<SlabKey> slots_;  // who is where: for Bug::kReusedSlot
  size_t replies_left_ = 0;
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_SERVED_ECHO_SERVER_H_
