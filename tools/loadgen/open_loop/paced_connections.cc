// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/paced_connections.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/tcp.h"

namespace ringway::loadgen {

Task<void> PacedConnections::Open() {
  connecting_ = options_.connections;
  for (int i = 0; i < options_.connections; ++i)
    tasks_.push_back(Spawn(RunConnection(i)));
  static_cast<void>(co_await all_connected_.Wait());
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
  PacedConnection connection(static_cast<uint32_t>(index), options_, meter_);
  const absl::Status ended = co_await ConnectAndRun(connection);
  Leave(connection);
  if (closing_) co_return;
  meter_.RecordError(index, ended);
  connection.Abandon();
}

Task<absl::Status> PacedConnections::ConnectAndRun(
    PacedConnection& connection) {
  absl::StatusOr<net::TcpStream> stream =
      co_await WithTimeout(options_.patience, net::Connect(options_.address));
  if (stream.ok()) live_.push_back(&connection);
  if (--connecting_ == 0) all_connected_.Set();
  if (absl::IsDeadlineExceeded(stream.status())) {
    co_return absl::DeadlineExceededError(
        absl::StrCat("no connection to ", options_.address.ToString(),
                     " within ", absl::FormatDuration(options_.patience)));
  }
  if (!stream.ok()) co_return stream.status();
  co_return co_await connection.Run(*stream);
}

void PacedConnections::Leave(const PacedConnection& connection) {
  const auto found = std::find(live_.begin(), live_.end(), &connection);
  if (found != live_.end()) live_.erase(found);
}

}  // namespace ringway::loadgen
