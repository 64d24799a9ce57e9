// SPDX-License-Identifier: Apache-2.0
//
// WorkerPart: one worker's part in a round, for any driver of its executor.
// RunWorker: the same on a separate thread.

#ifndef RINGWAY_NET_STREAM_MODEL_WORKER_H_
#define RINGWAY_NET_STREAM_MODEL_WORKER_H_

#include <barrier>
#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "ringway/executor/remote/shared_channel.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/stream_model/world.h"

namespace ringway::net::model {

// The channels for the notes of a round: a worker receives from `in` and
// sends to worker w through `out[w]`.
struct Mailboxes {
  SharedReceiver<Note> in;
  std::vector<SharedSender<Note>> out;
};
std::vector<Mailboxes> MakeMailboxes(size_t n_workers);

// Outlives its executor.
class WorkerPart {
 public:
  WorkerPart(World& world, size_t index, Mailboxes mailboxes);
  WorkerPart(const WorkerPart&) = delete;
  WorkerPart& operator=(const WorkerPart&) = delete;

  // The options for its executor.
  ExecutorOptions Options();
  // Listens. All workers must have started before one runs Main().
  absl::Status Start(Executor& executor);
  // Ends when the ends of this worker have, or when the round is cut short.
  Task<void> Main();

  // Call afterwards; once the listeners are closed, nothing is left.
  void CloseListeners() { local_.listeners.clear(); }
  bool settled() const;
  // Checks that all receive buffers were returned.
  Task<absl::Status> Probe();

  Executor& executor() { return *executor_; }
  void Fail(const absl::Status& status);

 private:
  Local local_;
  SharedReceiver<Note> in_;
  Executor* executor_ = nullptr;
};

// Returns when the worker has ended. All workers arrive at `step` twice: when
// they listen, and before their executors end.
void RunWorker(World& world, size_t index, Mailboxes mailboxes,
               std::barrier<>& step);

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_WORKER_H_
