// SPDX-License-Identifier: Apache-2.0
//
// StreamWatch: waits until a stream is closed, whatever has become its owner.
// What a server counts as a connection is the stream, wherever it was moved.

#ifndef RINGWAY_NET_SOCKET_STREAM_WATCH_H_
#define RINGWAY_NET_SOCKET_STREAM_WATCH_H_

#include <string>

#include "absl/status/status.h"
#include "ringway/executor/task/wait.h"
#include "ringway/net/socket/stream_core.h"

namespace ringway::net::internal {

// One for a stream at a time (checked). May outlive it, and its loop.
//
// Threads: the loop's only.
class StreamWatch {
 public:
  class [[nodiscard]] ClosedOp : public ringway::internal::Wait<ClosedOp> {
   public:
    explicit ClosedOp(StreamWatch& watch)
        : Wait("the end of a stream"), watch_(watch) {}
    ClosedOp(const ClosedOp&) = delete;
    ClosedOp& operator=(const ClosedOp&) = delete;
    ~ClosedOp() { LeaveIfWaiting(); }
    absl::Status await_resume() const { return status(); }

   private:
    friend class ringway::internal::Wait<ClosedOp>;
    friend class StreamWatch;
    using WaitEnd = ringway::internal::WaitEnd;

    WaitEnd Begin();
    bool Leave();

    StreamWatch& watch_;
  };

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
  // See StreamReader::PeerName(); empty once it is closed.
  std::string PeerName() const;

  // Waits until the stream is closed and the operations on it have ended. One
  // task at a time (checked).
  //
  // Errors: Cancelled.
  ClosedOp Closed() { return ClosedOp(*this); }

 private:
  friend class StreamCore;
  void OnClosed(const StreamTraffic& traffic);

  StreamCore* core_;
  ClosedOp* waiter_ = nullptr;
  StreamTraffic traffic_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_SOCKET_STREAM_WATCH_H_
