// SPDX-License-Identifier: Apache-2.0
//
// Client: one connection of the load generator by TCP or TLS, a closed loop. It
// writes a batch of requests at once, waits for all the replies, compares them,
// and writes the next.

#ifndef RINGWAY_TOOLS_LOADGEN_CLIENT_H_
#define RINGWAY_TOOLS_LOADGEN_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/tools/loadgen/meter.h"

namespace ringway::loadgen {

struct ClientOptions {
  ClientOptions() {}

  size_t size = 64;     // bytes of a request
  size_t pipeline = 1;  // requests in a batch
  bool verify = true;   // a new payload each time, and every reply compared
};

class Client {
 public:
  // All the memory a client needs is allocated here. `options` and `meter` must
  // outlive it.
  Client(int index, const ClientOptions& options, Meter& meter);

  // Exchanges batches over `stream` until `stop` is true, which is checked
  // after each batch.
  //
  // Errors: those of the stream; DataLoss, naming request and byte, for a
  //         reply that is not its request, or if the server sends more than
  //         it received; OutOfRange if it closes the connection.
  template <net::ByteStream Stream>
  Task<absl::Status> Run(Stream& stream, const bool& stop);

 private:
  void FillBatch();
  template <net::ByteStream Stream>
  Task<absl::Status> WriteBatch(Stream& stream);
  template <net::ByteStream Stream>
  Task<absl::Status> ReadReplies(Stream& stream);
  // Checks the last `n` of the `received` bytes of replies, which are at the
  // front of `incoming_`.
  absl::Status Check(size_t received, size_t n) const;
  absl::Status Mismatch(size_t at, std::byte got) const;

  const int index_;
  const ClientOptions& options_;
  Meter& meter_;
  std::vector<std::byte> batch_;
  std::vector<std::byte> incoming_;
  uint64_t batches_ = 0;
  MonotonicTime written_;  // when writing of the batch began
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CLIENT_H_
