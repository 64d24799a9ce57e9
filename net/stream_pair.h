// SPDX-License-Identifier: Apache-2.0
//
// StreamPair: two streams that are connected to each other, without an address.
//
//   auto pair = net::StreamPair();
//   Spawn(Serve(std::move(pair->second)));
//   co_await pair->first.Write(question);

#ifndef RINGWAY_NET_STREAM_PAIR_H_
#define RINGWAY_NET_STREAM_PAIR_H_

#include <utility>

#include "absl/status/statusor.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/net/tcp_stream.h"

namespace ringway::net {

// Unix stream sockets of `loop`'s backend, as of socketpair(2): what a test
// gives to a handler in place of a connection. Without `loop`: that of the task
// that calls it (checked: there is one).
//
// Errors: the errno of socketpair(2); ResourceExhausted without memory.
absl::StatusOr<std::pair<TcpStream, TcpStream>> StreamPair(Loop& loop);
absl::StatusOr<std::pair<TcpStream, TcpStream>> StreamPair();

}  // namespace ringway::net

#endif  // RINGWAY_NET_STREAM_PAIR_H_
