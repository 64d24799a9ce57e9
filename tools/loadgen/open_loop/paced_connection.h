// SPDX-License-Identifier: Apache-2.0
//
// PacedConnection: a connection of an open loop. It writes requests when they
// are offered and not when earlier ones have been answered, and matches the
// replies with them in order.

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_CONNECTION_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "ringway/core/containers/circular_queue.h"
#include "ringway/executor/sync/notify.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/tools/loadgen/open_loop/open_meter.h"
#include "ringway/tools/loadgen/open_loop/paced_target.h"
#include "ringway/tools/loadgen/open_loop/pacer.h"
#include "ringway/tools/loadgen/reply_checker.h"

namespace ringway::loadgen {

class PacedConnection {
 public:
  // `options` and `meter` must outlive it.
  PacedConnection(uint32_t index, const PacedTargetOptions& options,
                  OpenMeter& meter);

  // False if `options.queue` requests are unanswered already.
  //
  // Cost: no allocation once as many have been unanswered before.
  bool Offer(const PacedRequest& request);

  // Writes what is offered to `stream` and reads the replies, until the task is
  // cancelled.
  //
  // Errors: Cancelled; those of the stream; DataLoss for a wrong reply;
  //         OutOfRange if the server closes the connection.
  template <net::ByteStream Stream>
  Task<absl::Status> Run(Stream& stream);

  // Counts all unanswered requests as lost. After Run().
  void Abandon();

 private:
  template <net::ByteStream Stream>
  Task<absl::Status> WriteRequests(Stream& stream);
  template <net::ByteStream Stream>
  Task<absl::Status> ReadReplies(Stream& stream);
  // Moves what fits into one write from `waiting_` to `sent_`, and its bytes
  // to the front of `outgoing_`. Returns their number.
  size_t FillWrite();

  const uint32_t index_;
  const PacedTargetOptions& options_;
  OpenMeter& meter_;
  internal::CircularQueue<PacedRequest> waiting_;
  internal::CircularQueue<PacedRequest> sent_;
  Notify offered_;
  std::vector<std::byte> outgoing_;
  uint64_t n_sent_ = 0;
  ReplyChecker checker_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_CONNECTION_H_
