// SPDX-License-Identifier: Apache-2.0
//
// Connection: a connection of the load generator, whatever its protocol.
//
//   std::unique_ptr<Connection> connection = MakeConnection(mode, index);
//   Task<absl::Status> open = connection->Open(patience);
//   if ((co_await std::move(open)).ok()) {
//     Task<absl::Status> run = connection->Run(source);
//     absl::Status ended = co_await std::move(run);
//     ...

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_CONNECTION_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_CONNECTION_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/loadgen/connection/request_source.h"

namespace ringway::loadgen {

// Must outlive its tasks. One thread.
class Connection {
 public:
  virtual ~Connection() = default;

  // Opens it, with the handshake of TLS.
  //
  // Errors: those of connecting; DeadlineExceeded after `patience`.
  virtual Task<absl::Status> Open(absl::Duration patience) = 0;

  // Sends the requests of `source` and tells it of the replies, until the
  // source has ended and all have come.
  //
  // Errors:       those of the connection; DataLoss, naming request and byte,
  //               for a wrong reply, or for more than was asked for;
  //               OutOfRange if the server closes it early; Cancelled.
  // Cancellation: leaves requests without a reply.
  virtual Task<absl::Status> Run(RequestSource& source) = 0;

  // Closes it. It may then be opened again; its requests stay different.
  virtual Task<absl::Status> Close() = 0;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_CONNECTION_H_
