// SPDX-License-Identifier: Apache-2.0
//
// DatagramConnection: echo by UDP, over a socket of its own. Datagrams may be
// lost, repeated and overtake each other, so each has its number; one that has
// no reply in time is lost.

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_DATAGRAM_CONNECTION_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_DATAGRAM_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/udp_socket.h"
#include "ringway/tools/loadgen/connection/connection.h"
#include "ringway/tools/loadgen/connection/in_flight.h"
#include "ringway/tools/loadgen/connection/mode.h"
#include "ringway/tools/loadgen/connection/request_source.h"

namespace ringway::loadgen {

class DatagramConnection final : public Connection {
 public:
  // `mode`, with a size of kLeastDatagram to kMostDatagram, must outlive it.
  DatagramConnection(const Mode& mode, uint32_t index);

  // Connection: Run() counts replies that come too late, or twice, as strays.
  Task<absl::Status> Open(absl::Duration patience) override;
  Task<absl::Status> Run(RequestSource& source) override;
  Task<absl::Status> Close() override;

 private:
  Task<absl::Status> SendWhenDue(RequestSource& source, TaskScope& scope);
  Task<absl::Status> ReceiveReplies(RequestSource& source);
  // Tells `source` of what is lost.
  Task<absl::Status> WatchForLosses(RequestSource& source);
  // Makes the next `n` requests, at the front of `batch_`.
  void Fill(size_t n);
  absl::Status Take(const net::LentDatagram& reply, RequestSource& source);
  absl::Status CheckReply(std::span<const std::byte> reply, uint64_t number);

  const Mode& mode_;
  const uint32_t index_;
  std::optional<net::UdpSocket> socket_;
  std::vector<std::byte> outgoing_;
  std::vector<net::OutgoingDatagram> batch_;
  std::vector<net::LentDatagram> received_;
  std::vector<std::byte> expected_;
  InFlight<MonotonicTime> in_flight_;  // when each was sent
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_DATAGRAM_CONNECTION_H_
