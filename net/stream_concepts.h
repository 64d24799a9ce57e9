// SPDX-License-Identifier: Apache-2.0
//
// ByteSource, ByteSink, ByteStream: what TCP, Unix and encrypted streams have
// in common. BufferedReader and Forward() are written against it, and so can
// be a protocol:
//
//   template <ringway::net::ByteStream Stream>
//   ringway::Task<absl::Status> Serve(Stream stream);
//
// The members mean what they mean for TcpStream (tcp_stream.h).

#ifndef RINGWAY_NET_STREAM_CONCEPTS_H_
#define RINGWAY_NET_STREAM_CONCEPTS_H_

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/structured/awaiter_of.h"
#include "ringway/net/received_buffer.h"

namespace ringway::net {

// `A` can be awaited, and gives a `T`.
template <typename A, typename T>
concept Awaits = std::same_as<ringway::internal::AwaitResult<A>, T>;

// One reads from it: a stream or the reading half of one.
template <typename S>
concept ByteSource = requires(S& source, std::span<std::byte> buffer,
                              ReceiveConsumer& consumer) {
  { source.Read(buffer) } -> Awaits<absl::StatusOr<size_t>>;
  { source.Receive() } -> Awaits<absl::StatusOr<ReceivedBuffer>>;
  { source.ReceiveUntil(consumer) } -> Awaits<absl::Status>;
};

// One writes to it: a stream or the writing half of one.
template <typename S>
concept ByteSink = requires(S& sink, std::span<const std::byte> bytes,
                            std::span<const std::span<const std::byte>> parts) {
  { sink.Write(bytes) } -> Awaits<absl::Status>;
  { sink.Writev(parts) } -> Awaits<absl::Status>;
  { sink.ShutdownWrite() } -> Awaits<absl::Status>;
};

// A connection, with an end of its own.
template <typename S>
concept ByteStream = std::movable<S> && ByteSource<S> && ByteSink<S> &&
    requires(S& stream, absl::Duration timeout) {
  { stream.reader() } -> ByteSource;
  { stream.writer() } -> ByteSink;
  { stream.Close() } -> Awaits<absl::Status>;
  { stream.CloseGracefully(timeout) } -> Awaits<absl::Status>;
  stream.Reset();
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_STREAM_CONCEPTS_H_
