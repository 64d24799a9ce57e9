// SPDX-License-Identifier: Apache-2.0
//
// ListenerCore: the multishot accept of one listening socket, who waits for it,
// and what to do when the kernel cannot accept just now.

#ifndef RINGWAY_NET_LISTENER_CORE_H_
#define RINGWAY_NET_LISTENER_CORE_H_

#include <cstdint>
#include <utility>

#include "ringway/backends/socket_calls.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/wait.h"
#include "ringway/net/socket/armed_multishot.h"
#include "ringway/net/socket/socket_core.h"
#include "ringway/net/tcp_listener.h"

namespace ringway::net::internal {

class ListenerCore final : public SocketCore {
 public:
  // Connections accepted ahead of Accept() before accepting is paused; more
  // wait in the backlog.
  static constexpr uint32_t kMaxUntaken = 64;

  ListenerCore(Loop& loop, SocketFd fd)
      : SocketCore(loop, std::move(fd)), accept_(loop, *this), retry_(*this) {}
  ~ListenerCore() override;

  // The next accepted fd for a newcomer, or -1 if none has come yet, or only
  // for those that wait already.
  int TakeForNewcomer();

  // Completes `waiter` with the next connection.
  void Wait(AcceptOp& waiter);

 private:
  struct AcceptOperation : ArmedMultishot {
    AcceptOperation(Loop& loop, ListenerCore& c)
        : ArmedMultishot(loop, &OnNews), core(c) {}
    static void OnNews(ArmedMultishot& self);
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

  bool InFlight() const override { return accept_.in_progress(); }
  void OnAbandon() override;
  void OnLoopEnd() override;
  void OnNews();
  void OnEnd(int32_t result);
  int TakeAccepted();
  // Arms the accept if there are tasks that wait for it and it is idle.
  void ArmIfWanted();
  // Ends the wait of the task that has waited longest.
  void CompleteFront(int32_t result);
  void FailAll(int32_t result);

  AcceptOperation accept_;
  Retry retry_;
  ringway::internal::WaitLine<AcceptOp> waiters_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_LISTENER_CORE_H_
