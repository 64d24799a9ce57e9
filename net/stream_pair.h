// SPDX-License-Identifier: Apache-2.0
//
// StreamPair: two connected streams without addresses.
//
//   auto pair = net::StreamPair();
//   Spawn(Serve(std::move(pair->second))).Detach();
//   absl::Status sent = co_await pair->first.Write(question);

#ifndef RINGWAY_NET_STREAM_PAIR_H_
#define RINGWAY_NET_STREAM_PAIR_H_

#include <utility>

#include "absl/status/statusor.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/net/tcp_stream.h"

namespace ringway::net {

// Makes two Unix stream sockets of `loop`'s backend, as socketpair(2) does;
// in a test one can take the place of a connection. Without `loop` it uses
// that of the calling task (checked).
//
// Errors: the errno of socketpair(2); ResourceExhausted without memory.
absl::StatusOr<std::pair<TcpStream, TcpStream>> StreamPair(Loop& loop);
absl::StatusOr<std::pair<TcpStream, TcpStream>> StreamPair();

}  // namespace ringway::net

#endif  // RINGWAY_NET_STREAM_PAIR_H_
