// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/paced_connections.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/statusor.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/tcp.h"
#include "ringway/net/tls/tls_stream.h"
#include "ringway/tools/loadgen/target.h"

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
  Task<absl::Status> run = options_.target.tls.has_value()
                               ? ConnectAndRun<net::TlsStream>(connection)
                               : ConnectAndRun<net::TcpStream>(connection);
  const absl::Status ended = co_await std::move(run);
  Leave(connection);
  if (closing_) co_return;
  meter_.RecordError(index, ended);
  connection.Abandon();
}

template <typename Stream>
Task<absl::Status> PacedConnections::ConnectAndRun(
    PacedConnection& connection) {
  Task<absl::StatusOr<Stream>> open =
      OpenStream<Stream>(options_.target, options_.patience);
  absl::StatusOr<Stream> stream = co_await std::move(open);
  if (stream.ok()) live_.push_back(&connection);
  if (--connecting_ == 0) all_connected_.Set();
  if (!stream.ok()) co_return stream.status();
  co_return co_await connection.Run(*stream);
}

void PacedConnections::Leave(const PacedConnection& connection) {
  const auto found = std::find(live_.begin(), live_.end(), &connection);
  if (found != live_.end()) live_.erase(found);
}

}  // namespace ringway::loadgen
