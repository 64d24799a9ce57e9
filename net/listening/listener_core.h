// SPDX-License-Identifier: Apache-2.0
//
// ListenerCore: the multishot accept of one listening socket, the queue of
// waiting tasks, and retries while the kernel cannot accept.

#ifndef RINGWAY_NET_LISTENING_LISTENER_CORE_H_
#define RINGWAY_NET_LISTENING_LISTENER_CORE_H_

#include <cerrno>
#include <cstdint>
#include <utility>

#include "ringway/backends/socket_calls.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/wait.h"
#include "ringway/net/listening/accept_wait.h"
#include "ringway/net/socket/armed_multishot.h"
#include "ringway/net/socket/socket_core.h"

namespace ringway::net::internal {

class ListenerCore final : public SocketCore {
 public:
  // Accepting pauses when this many accepted connections wait for Accept();
  // further ones wait in the backlog.
  static constexpr uint32_t kMaxUntaken = 64;

  // `handle`: what messages call the handle, "a TcpListener".
  ListenerCore(Loop& loop, SocketFd fd, const char* handle)
      : SocketCore(loop, std::move(fd)),
        handle_(handle),
        accept_(loop, *this),
        retry_(*this) {}
  ~ListenerCore() override;

  const char* handle() const { return handle_; }

  // No connection has been accepted.
  static constexpr int32_t kNone = -EAGAIN;

  // The next connection for a new caller: its fd, or -EMFILE if it was closed
  // for lack of fds; kNone if there is none beyond those for the tasks already
  // waiting.
  int32_t TakeForNewcomer();

  // See TcpListener::KeepReserve().
  void KeepReserve();

  // Connections wait to be accepted, or to be taken.
  bool HasPending() const {
    return accept_.untaken() > 0 || sockets().IsReadable(fd()) > 0;
  }

  // Completes `waiter` with the next connection.
  void Wait(AcceptWait& waiter);

 private:
  struct AcceptOperation : ArmedMultishot {
    AcceptOperation(Loop& loop, ListenerCore& c)
        : ArmedMultishot(loop, &OnNews), core(c) {}
    static void OnNews(ArmedMultishot& self);
    ListenerCore& core;
  };
  struct Retry : ringway::Runnable {
    explicit Retry(ListenerCore& c) : ringway::Runnable(&OnTime), core(c) {
      timer.on_fired = this;
    }
    static void OnTime(ringway::Runnable& entry);
    ListenerCore& core;
    LoopTimer timer;
  };

  bool InFlight() const override { return accept_.in_progress(); }
  void OnAbandon() override;
  void OnLoopEnd() override;
  void OnNews();
  void OnEnd(int32_t result);
  int32_t TakeAccepted();
  // True if there is one now.
  bool FillReserve();
  // Arms the accept if it is idle and tasks are waiting.
  void ArmIfWanted();
  // Ends the wait of the task that has waited longest.
  void CompleteFront(int32_t result);
  void FailAll(int32_t result);

  const char* const handle_;
  AcceptOperation accept_;
  Retry retry_;
  ringway::internal::WaitLine<AcceptWait> waiters_;
  bool keeps_reserve_ = false;
  // An fd of no other use: given up, there is room to accept one connection.
  SocketFd reserve_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_LISTENING_LISTENER_CORE_H_
