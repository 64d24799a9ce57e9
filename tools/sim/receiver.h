// SPDX-License-Identifier: Apache-2.0
//
// Receiver: the multishot receive of one connection, for a task to read from.

#ifndef RINGWAY_TOOLS_SIM_RECEIVER_H_
#define RINGWAY_TOOLS_SIM_RECEIVER_H_

#include <cstdint>
#include <optional>

#include "ringway/backends/operation.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/armed_multishot.h"

namespace ringway::simulation {

class Receiver {
 public:
  // Starts to receive. Stop() before it is destroyed, unless its executor is
  // being destroyed, too.
  Receiver(Loop& loop, int fd);

  // The next delivery, whose buffer is to be returned; none at the end, or when
  // the task is cancelled.
  Task<std::optional<Delivery>> Next();

  // Ends the receive and gives back what nobody took. Its result: 0 at the end
  // of the stream, or -errno. Once.
  Task<int32_t> Stop();

 private:
  struct Receive : net::internal::ArmedMultishot {
    Receive(Loop& loop, Receiver& r)
        : ArmedMultishot(loop, &OnNews), receiver(r) {}
    static void OnNews(ArmedMultishot& self) {
      static_cast<Receive&>(self).receiver.news_.Set();
    }
    Receiver& receiver;
  };

  Event news_;
  Receive receive_;
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_RECEIVER_H_
