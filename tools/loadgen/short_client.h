// SPDX-License-Identifier: Apache-2.0
//
// ShortClient: requests that each have a connection of their own: connect, by
// TLS a handshake, one request, its reply, close.

#ifndef RINGWAY_TOOLS_LOADGEN_SHORT_CLIENT_H_
#define RINGWAY_TOOLS_LOADGEN_SHORT_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/loadgen/reply_checker.h"
#include "ringway/tools/loadgen/target.h"

namespace ringway::loadgen {

// One exchange at a time; several clients for several connections at once.
class ShortClient {
 public:
  // Connections to `target`, which must outlive it, with a request of `size`
  // bytes. With `verify` every reply is compared; `index` tells the requests
  // of several clients apart.
  ShortClient(uint32_t index, const Target& target, size_t size, bool verify);

  // Makes one connection and closes it again. The clock is the loop's.
  //
  // Result:       when the reply was complete.
  // Errors:       those of connecting and of the stream; DeadlineExceeded if
  //               there is no reply within `patience`; OutOfRange if the
  //               server closes before its reply is complete; DataLoss for a
  //               wrong reply. The connection is closed in each case.
  // Cancellation: closes the connection.
  Task<absl::StatusOr<MonotonicTime>> Exchange(absl::Duration patience);

 private:
  template <typename Stream>
  Task<absl::StatusOr<MonotonicTime>> ExchangeOver(absl::Duration patience);
  template <typename Stream>
  Task<absl::Status> Ask(Stream& stream, MonotonicTime deadline);
  template <typename Stream>
  Task<absl::Status> AskWhileReading(Stream& stream, MonotonicTime deadline);
  template <typename Stream>
  Task<absl::Status> Write(Stream& stream);
  template <typename Stream>
  Task<absl::Status> ReadReply(Stream& stream, MonotonicTime deadline);

  const uint32_t index_;
  const Target& target_;
  std::vector<std::byte> request_;
  std::vector<std::byte> incoming_;
  ReplyChecker checker_;
  uint64_t exchanges_ = 0;  // begun
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_SHORT_CLIENT_H_
