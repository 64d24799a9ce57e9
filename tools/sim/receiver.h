// SPDX-License-Identifier: Apache-2.0
//
// Receiver: the multishot receive of one connection, for a task to read from.

#ifndef RINGWAY_TOOLS_SIM_RECEIVER_H_
#define RINGWAY_TOOLS_SIM_RECEIVER_H_

#include <cstdint>
#include <optional>

#include "backends/operation.h"
#include "executor/event.h"
#include "executor/loop.h"
#include "executor/task.h"

namespace ringway::simulation {

class Receiver {
 public:
  // Starts to receive. Stop() before it is destroyed, unless its executor is
  // being destroyed, too.
  Receiver(Loop& loop, int fd);
  ~Receiver();

  // The next delivery, whose buffer is to be returned; none at the end, or when
  // the task is cancelled.
  Task<std::optional<MultishotEvent>> Next();

  // Ends the receive and gives back what nobody took. Its result: 0 at the end
  // of the stream, or -errno.
  Task<int32_t> Stop();

 private:
  struct Receive : MultishotOperation {
    explicit Receive(Receiver& r)
        : MultishotOperation(&OnDelivery), receiver(r) {}
    static void OnDelivery(Runnable& entry);
    Receiver& receiver;
  };

  bool ended() const { return receive_.state == OpState::kDone; }

  Loop& loop_;
  Event news_;
  Receive receive_;
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_RECEIVER_H_
