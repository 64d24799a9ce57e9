// SPDX-License-Identifier: Apache-2.0
//
// EchoServer: a server that answers late, from tasks of their own, as one does
// that has to ask somebody else first.
//
// A reply must therefore find its session again, which may be gone by then:
// sessions are named by keys that go stale.

#ifndef RINGWAY_TOOLS_SIM_ECHO_SERVER_H_
#define RINGWAY_TOOLS_SIM_ECHO_SERVER_H_

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/slab.h"
#include "executor/task.h"
#include "tools/sim/simulation.h"

namespace ringway::simulation {

class EchoServer {
 public:
  EchoServer(Simulation& simulation, Node& node, const sockaddr_in& address);

  // Serves until cancelled.
  Task<absl::Status> Serve();

  bool listening() const { return listening_; }
  uint64_t accepted() const { return accepted_; }
  // Replies that are still on their way.
  size_t replies_left() const { return replies_left_; }

 private:
  struct Session {
    int fd;
    std::string unanswered;
    bool answering = false;
  };

  Task<int32_t> OpenListener();
  Task<void> ServeSession(int fd);
  Task<void> Reply(SlabKey key);
  void Take(SlabKey key, const MultishotEvent& event);
  Session* Find(SlabKey key);
  Task<void> GiveUp(SlabKey key);

  Simulation& simulation_;
  Node& node_;
  const sockaddr_in address_;
  Slab<Session> sessions_{64};
  std::vector<SlabKey> slots_;  // who is where: for Bug::kReusedSlot
  bool listening_ = false;
  uint64_t accepted_ = 0;
  size_t replies_left_ = 0;
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_ECHO_SERVER_H_
