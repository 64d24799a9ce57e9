// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/paced_connections.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "ringway/core/time/clock.h"
#include "ringway/executor/task/executor.h"
#include "ringway/tools/loadgen/connection/connection.h"
#include "ringway/tools/loadgen/connection/make_connection.h"

namespace ringway::loadgen {

Task<void> PacedConnections::Open() {
  opening_.Begin();
  for (int i = 0; i < share_.CountOf(options_.load.connections); ++i)
    tasks_.push_back(Spawn(RunConnection(share_.IndexOf(i))));
  Task<absl::Status> opened = opening_.Wait();
  static_cast<void>(co_await std::move(opened));
}

void PacedConnections::Offer(const PacedRequest& request) {
  if (live_.empty()) {
    meter_.RecordDropped(request);
    return;
  }
  if (turn_ >= live_.size()) turn_ = 0;
  if (!live_[turn_++]->Offer(request)) meter_.RecordDropped(request);
}

Task<void> PacedConnections::Close() {
  closing_ = true;
  for (JoinHandle<void>& task : tasks_) task.Cancel();
  for (JoinHandle<void>& task : tasks_) static_cast<void>(co_await task);
}

Task<void> PacedConnections::RunConnection(int index) {
  PacedSource source(CurrentLoop().backend().clock(), index, options_.queue,
                     meter_);
  const std::unique_ptr<Connection> connection =
      MakeConnection(options_.load.mode, static_cast<uint32_t>(index));
  Task<absl::Status> open = opening_.Open(*connection, index);
  absl::Status ended = co_await std::move(open);
  if (ended.ok()) {
    live_.push_back(&source);
    Task<absl::Status> run = connection->Run(source);
    ended = co_await std::move(run);
    Leave(source);
  }
  if (closing_) co_return;
  meter_.RecordError(index, ended);
  source.Abandon();
}

void PacedConnections::Leave(const PacedSource& source) {
  const auto found = std::find(live_.begin(), live_.end(), &source);
  if (found != live_.end()) live_.erase(found);
}

}  // namespace ringway::loadgen
