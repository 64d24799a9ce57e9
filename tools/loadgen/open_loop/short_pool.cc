// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/short_pool.h"

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/time/clock.h"
#include "ringway/executor/task/executor.h"
#include "ringway/tools/loadgen/connection/one_exchange.h"

namespace ringway::loadgen {

Task<void> ShortPool::Open() {
  for (int i = 0; i < share_.CountOf(options_.load.connections); ++i)
    tasks_.push_back(Spawn(MakeConnections(share_.IndexOf(i))));
  co_return;
}

void ShortPool::Offer(const PacedRequest& request) {
  // The limit is of all workers.
  if (waiting_.size() * static_cast<size_t>(share_.workers) >= options_.queue) {
    meter_.RecordDropped(request);
    return;
  }
  waiting_.PushBack(request);
  offered_.NotifyOne();
}

Task<void> ShortPool::Close() {
  for (JoinHandle<void>& task : tasks_) task.Cancel();
  for (JoinHandle<void>& task : tasks_) static_cast<void>(co_await task);
}

Task<void> ShortPool::MakeConnections(int index) {
  const Clock& clock = CurrentLoop().backend().clock();
  OneExchange exchange(options_.load.mode, static_cast<uint32_t>(index));
  while (true) {
    while (waiting_.empty()) {
      absl::Status woken = co_await offered_.Wait();
      if (!woken.ok()) co_return;
    }
    const PacedRequest request = waiting_.PopFront();
    meter_.RecordSent(request, clock.Now());
    Task<absl::StatusOr<MonotonicTime>> run =
        exchange.Run(options_.load.patience);
    const absl::StatusOr<MonotonicTime> answered = co_await std::move(run);
    if (absl::IsCancelled(answered.status())) co_return;
    if (answered.ok()) {
      meter_.RecordAnswered(request, *answered);
    } else {
      meter_.RecordLost(request);
      meter_.RecordError(index, answered.status());
    }
  }
}

}  // namespace ringway::loadgen
