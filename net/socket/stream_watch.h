// SPDX-License-Identifier: Apache-2.0
//
// StreamWatch: waits until a stream is closed, whatever has become its owner.
// What a server counts as a connection is the stream, wherever it was moved.

#ifndef RINGWAY_NET_SOCKET_STREAM_WATCH_H_
#define RINGWAY_NET_SOCKET_STREAM_WATCH_H_

#include "ringway/executor/task/event.h"
#include "ringway/net/socket/stream_core.h"

namespace ringway::net::internal {

// One for a stream at a time (checked). May outlive it, and its loop.
//
// Threads: the loop's only.
class StreamWatch {
 public:
  // `core` is null for a stream that is closed already.
  explicit StreamWatch(StreamCore* core);
  StreamWatch(const StreamWatch&) = delete;
  StreamWatch& operator=(const StreamWatch&) = delete;
  ~StreamWatch();

  bool closed() const { return core_ == nullptr; }
  // Until now, or in all if it is closed.
  StreamTraffic traffic() const {
    return closed() ? traffic_ : core_->traffic();
  }

  // Waits until the stream is closed and the operations on it have ended.
  //
  // Errors: Cancelled.
  Event::WaitOp Closed() { return closed_.Wait(); }

 private:
  friend class StreamCore;
  void OnClosed(const StreamTraffic& traffic);

  StreamCore* core_;
  StreamTraffic traffic_;
  Event closed_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_SOCKET_STREAM_WATCH_H_
