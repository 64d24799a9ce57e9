// SPDX-License-Identifier: Apache-2.0
//
// Forward, ForwardBoth: pass the bytes of one stream on to another.
//
//   absl::StatusOr<net::ForwardedBytes> forwarded =
//       co_await net::ForwardBoth(client, server);
//
// Works for all streams and their halves (stream_concepts.h). What has arrived
// is written from the buffer it arrived in. The sink sets the pace: while it
// does not take more, the source is not read beyond a few buffers.

#ifndef RINGWAY_NET_FORWARD_H_
#define RINGWAY_NET_FORWARD_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/received_buffer.h"
#include "ringway/net/stream_concepts.h"

namespace ringway::net {

// Passes on everything up to the end of `source`, then shuts down the writing
// side of `sink`, whose peer so reads the same end. The halves may be temporary
// objects; their streams must outlive the await.
//
//   absl::StatusOr<uint64_t> n_bytes =
//       co_await net::Forward(client.reader(), server.writer());
//
// Result:       bytes passed on.
// Errors:       those of reading, writing and shutting down. Bytes that could
//               not be written are lost.
// Threads:      the streams' loop's only (checked).
// Cancellation: ends the read or the write in progress: Cancelled.
// Cost:         one frame; for each delivery one receive and one write.
template <ByteSource S, ByteSink W>
Task<absl::StatusOr<uint64_t>> Forward(S source, W sink) {
  uint64_t n_forwarded = 0;
  while (true) {
    absl::StatusOr<ReceivedBuffer> received = co_await source.Receive();
    if (!received.ok()) co_return received.status();
    if (received->empty()) break;
    const absl::Status written = co_await sink.Write(received->bytes());
    if (!written.ok()) co_return written;
    n_forwarded += received->size();
  }
  const absl::Status shut_down = co_await sink.ShutdownWrite();
  if (!shut_down.ok()) co_return shut_down;
  co_return n_forwarded;
}

// Passes on `n_bytes`, such as the body of a message. What follows them stays
// in `source`. Does not shut down `sink`.
//
// Result:    bytes passed on; less than `n_bytes` if the stream ended before.
// Errors:    as Forward(). What could not be written stays in `source`.
// Ownership: `source` must outlive the await; so must the stream of `sink`.
template <ByteSource S, ByteSink W>
Task<absl::StatusOr<uint64_t>> ForwardExactly(BufferedReader<S>& source, W sink,
                                              uint64_t n_bytes) {
  uint64_t n_forwarded = 0;
  while (n_forwarded < n_bytes) {
    const absl::StatusOr<std::span<const std::byte>> filled =
        co_await source.Fill(1);
    if (!filled.ok()) co_return filled.status();
    if (filled->empty()) break;
    const std::span<const std::byte> part = filled->first(
        std::min<uint64_t>(filled->size(), n_bytes - n_forwarded));
    const absl::Status written = co_await sink.Write(part);
    if (!written.ok()) co_return written;
    source.Consume(part.size());
    n_forwarded += part.size();
  }
  co_return n_forwarded;
}

struct ForwardedBytes {
  uint64_t from_first = 0;
  uint64_t from_second = 0;
};

namespace internal {

template <ByteSource S1, ByteSink W1, ByteSource S2, ByteSink W2>
Task<absl::StatusOr<ForwardedBytes>> ForwardHalves(S1 source1, W1 sink1,
                                                   S2 source2, W2 sink2) {
  TaskScope scope;
  Task<absl::StatusOr<uint64_t>> there =
      Forward(std::move(source1), std::move(sink2));
  JoinHandle<absl::StatusOr<uint64_t>> first =
      scope.Spawn(std::move(there), "forward");
  Task<absl::StatusOr<uint64_t>> back =
      Forward(std::move(source2), std::move(sink1));
  JoinHandle<absl::StatusOr<uint64_t>> second =
      scope.Spawn(std::move(back), "forward back");
  const absl::Status joined = co_await scope.Join();
  if (!joined.ok()) co_return joined;
  const absl::StatusOr<uint64_t> from_first = first.TakeResult();
  const absl::StatusOr<uint64_t> from_second = second.TakeResult();
  co_return ForwardedBytes(*from_first, *from_second);
}

}  // namespace internal

// Passes bytes on in both directions until both have ended: a side that has
// finished sending still gets its answer. If one direction fails, the other is
// cancelled. Neither stream is closed.
//
// Result:       bytes passed on in each direction.
// Errors:       as Forward(), that of the direction that failed first.
// Ownership:    both streams must outlive the await.
// Threads:      the streams' loop's only (checked).
// Cancellation: cancels both directions and waits for them.
// Cost:         two tasks; as Forward() twice.
template <ByteStream A, ByteStream B>
Task<absl::StatusOr<ForwardedBytes>> ForwardBoth(A& first, B& second) {
  return internal::ForwardHalves(first.reader(), first.writer(),
                                 second.reader(), second.writer());
}

}  // namespace ringway::net

#endif  // RINGWAY_NET_FORWARD_H_
