// SPDX-License-Identifier: Apache-2.0
//
// ListenerCore: the multishot accept of one listening socket, who waits for it,
// and what to do when the kernel cannot accept just now.

#ifndef RINGWAY_NET_LISTENER_CORE_H_
#define RINGWAY_NET_LISTENER_CORE_H_

#include <memory>

#include "backends/operation.h"
#include "core/intrusive_list.h"
#include "core/unique_fd.h"
#include "executor/loop.h"
#include "net/tcp_listener.h"

namespace ringway::net::internal {

class ListenerCore final : public Orphan {
 public:
  // Connections accepted ahead of Accept() before accepting is paused; more
  // wait in the backlog.
  static constexpr uint32_t kMaxUntaken = 64;

  ListenerCore(Loop& loop, UniqueFd fd)
      : loop_(loop), fd_(std::move(fd)), accept_(*this), retry_(*this) {}
  ~ListenerCore() override;

  Loop& loop() { return loop_; }
  int fd() const { return fd_.get(); }

  // The next accepted fd, or -1 if none has come yet.
  int TakeAccepted();

  // Completes `waiter` with the next connection.
  void Wait(AcceptOp& waiter);

  // Gives the core to its loop, which ends the accept and closes the socket.
  static void Abandon(std::unique_ptr<ListenerCore> core);

 private:
  struct AcceptOperation : MultishotOperation {
    explicit AcceptOperation(ListenerCore& c)
        : MultishotOperation(&OnDelivery), core(c) {}
    static void OnDelivery(Runnable& entry);
    ListenerCore& core;
  };
  struct Retry : Runnable {
    explicit Retry(ListenerCore& c) : Runnable(&OnTime), core(c) {
      timer.on_fired = this;
    }
    static void OnTime(Runnable& entry);
    ListenerCore& core;
    LoopTimer timer;
  };

  void OnDelivery();
  void OnEnd(int32_t result);
  void Arm();
  void FailAll(int32_t result);

  Loop& loop_;
  UniqueFd fd_;
  AcceptOperation accept_;
  Retry retry_;
  IntrusiveList<AcceptOp> waiters_;
  bool pausing_ = false;  // a cancel of our own is under way
  bool abandoned_ = false;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_LISTENER_CORE_H_
