// SPDX-License-Identifier: Apache-2.0
//
// RunWorker: one worker's part in a round, on the calling thread.

#ifndef RINGWAY_NET_STREAM_MODEL_WORKER_H_
#define RINGWAY_NET_STREAM_MODEL_WORKER_H_

#include <barrier>
#include <cstddef>
#include <vector>

#include "ringway/executor/remote/shared_channel.h"
#include "ringway/net/stream_model/world.h"

namespace ringway::net::model {

// How the notes of a round travel: a worker hears what comes out of `in`, and
// tells worker w through `out[w]`.
struct Mailboxes {
  SharedReceiver<Note> in;
  std::vector<SharedSender<Note>> out;
};

// Returns when everything of the worker's has ended. All workers arrive at
// `step` twice: when they listen, and before their executors end.
void RunWorker(World& world, size_t index, Mailboxes mailboxes,
               std::barrier<>& step);

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_WORKER_H_
