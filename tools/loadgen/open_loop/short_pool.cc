// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/short_pool.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/time/clock.h"
#include "ringway/executor/task/executor.h"
#include "ringway/tools/loadgen/short_client.h"

namespace ringway::loadgen {

Task<void> ShortPool::Open() {
  for (int i = 0; i < options_.connections; ++i)
    tasks_.push_back(Spawn(MakeConnections(i)));
  co_return;
}

void ShortPool::Offer(const PacedRequest& request) {
  if (waiting_.size() >= options_.queue) {
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
  ShortClient client(static_cast<uint32_t>(index), options_.target,
                     options_.request_bytes, options_.verify);
  while (true) {
    while (waiting_.empty()) {
      absl::Status woken = co_await offered_.Wait();
      if (!woken.ok()) co_return;
    }
    const PacedRequest request = waiting_.PopFront();
    meter_.RecordSent(request, clock.Now());
    const absl::StatusOr<MonotonicTime> answered =
        co_await client.Exchange(options_.patience);
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
