// SPDX-License-Identifier: Apache-2.0
//
// EchoServer: a server that answers late, from tasks of their own, as one does
// that has to ask somebody else first.
//
// A reply must therefore find its session again, which may be gone by then:
// sessions are named by keys that go stale.

#ifndef RINGWAY_TOOLS_SIM_ECHO_SERVER_H_
#define RINGWAY_TOOLS_SIM_ECHO_SERVER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "ringway/core/containers/slab.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/sim/service.h"

namespace ringway::simulation {

// Who has only shut down the sending half of a connection still gets all the
// answers.
class EchoServer : public Service {
 public:
  EchoServer(Simulation& simulation, Node& node);

  // No reply is on its way.
  bool idle() const override { return replies_left_ == 0; }

 private:
  struct Session {
    explicit Session(int f) : fd(f) {}

    const int fd;
    std::string unanswered;
    bool answering = false;
    Event answered;  // or given up
  };

  Task<void> ServeConnection(int fd) override;
  Task<void> Reply(SlabKey key);
  Task<int32_t> SendReply(SlabKey key, std::string reply);
  void Take(SlabKey key, const Delivery& delivery);
  Session* Find(SlabKey key);
  Task<void> GiveUp(SlabKey key);

  Slab<Session> sessions_{64};
  std::vector<SlabKey> slots_;  // who is where: for Bug::kReusedSlot
  size_t replies_left_ = 0;
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_ECHO_SERVER_H_
