// SPDX-License-Identifier: Apache-2.0
//
// ListenerCore: the multishot accept of one listening socket, who waits for it,
// and what to do when the kernel cannot accept just now.

#ifndef RINGWAY_NET_LISTENER_CORE_H_
#define RINGWAY_NET_LISTENER_CORE_H_

#include <memory>

#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/net/armed_multishot.h"
#include "ringway/net/tcp_listener.h"

namespace ringway::net::internal {

class ListenerCore final : public Orphan {
 public:
  // Connections accepted ahead of Accept() before accepting is paused; more
  // wait in the backlog.
  static constexpr uint32_t kMaxUntaken = 64;

  ListenerCore(Loop& loop, UniqueFd fd)
      : Orphan(loop),
        loop_(loop),
        fd_(std::move(fd)),
        accept_(loop, *this),
        retry_(*this) {}
  ~ListenerCore() override;

  Loop& loop() { return loop_; }
  int fd() const { return fd_.get(); }

  // The next accepted fd for a newcomer, or -1 if none has come yet, or only
  // for those that wait already.
  int TakeForNewcomer();

  // Completes `waiter` with the next connection.
  void Wait(AcceptOp& waiter);

  // Gives the core to its loop, which ends the accept and closes the socket;
  // deletes it if the loop has ended.
  static void Abandon(std::unique_ptr<ListenerCore> core);

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

  void OnLoopEnd() override;
  void OnNews();
  void OnEnd(int32_t result);
  int TakeAccepted();
  // Arms the accept if there are tasks that wait for it and it is idle.
  void ArmIfWanted();
  void FailAll(int32_t result);

  Loop& loop_;  // may have ended: see loop_ended()
  UniqueFd fd_;
  AcceptOperation accept_;
  Retry retry_;
  IntrusiveList<AcceptOp> waiters_;
  bool abandoned_ = false;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_LISTENER_CORE_H_
