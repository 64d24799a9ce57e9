// SPDX-License-Identifier: Apache-2.0
//
// SocketCore: what streams, listeners and datagram sockets have in common - one
// socket of one loop, whose handle may go while operations are in flight.
//
// Lives at a fixed address because operations refer to it, and longer than its
// handle where something is still in flight: then the loop adopts it, all of
// that is cancelled and reaped, and only then is the socket closed. (Closing an
// fd with an armed receive sends no FIN and leaves the receive armed.)
//
//     handle --Abandon()--> adopted by the loop, cancelling
//                 |                  | the last of what is in flight ends
//                 +-nothing in flight+--> CloseIfIdle(): closed; deleted when
//                                         the loop comes to it

#ifndef RINGWAY_NET_SOCKET_SOCKET_CORE_H_
#define RINGWAY_NET_SOCKET_SOCKET_CORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "ringway/backends/socket_calls.h"
#include "ringway/core/runnable.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"

namespace ringway::net::internal {

class SocketCore : public Orphan {
 public:
  Loop& loop() { return loop_; }
  int fd() const { return fd_.get(); }
  // The handle has gone: what is in flight ends, nothing starts again.
  bool abandoned() const { return abandoned_; }
  // Requires that the loop has not ended.
  SocketCalls& sockets() const { return loop_.backend().sockets(); }

  // For descriptions of what a task waits for: asks the kernel, and allocates.
  // The peer's address, that of the socket where the peer has none (an accepted
  // Unix stream), "fd 7" where that has none either.
  std::string DescribePeer() const;
  // The address that it is bound to, or "fd 7".
  std::string DescribeLocal() const;

  // Told, with 0 or -errno, when the socket has been closed.
  struct Closer {
    void (*on_closed)(Closer&, int32_t result);
  };

  // Gives the core to its loop, which ends what is in flight and closes the
  // socket, at once if nothing is; deletes it if the loop has ended. `closer`,
  // if not null, is told unless ForgetCloser() was called first. `what` is the
  // handle's name ("a TcpStream") for what is checked.
  static void Abandon(std::unique_ptr<SocketCore> core, const char* what,
                      Closer* closer = nullptr);
  void ForgetCloser() { closer_ = nullptr; }

 protected:
  SocketCore(Loop& loop, SocketFd fd)
      : Orphan(loop), loop_(loop), fd_(std::move(fd)), burial_(*this) {}

  // Operations on the socket are in flight, or news of them are under way.
  virtual bool InFlight() const = 0;
  // The handle has gone: asks for the end of all that is in flight. Whatever
  // waits is told. Does not call CloseIfIdle().
  virtual void OnAbandon() = 0;
  // No task is left that could use it; what was in flight has ended.
  void OnLoopEnd() override { fd_.Close(); }

  // After each end of something in flight: closes an abandoned socket that has
  // nothing left in flight. This is deleted later, never from inside a call.
  void CloseIfIdle();

 private:
  struct Burial : Runnable {
    explicit Burial(SocketCore& c) : Runnable(&OnTurn), core(c) {}
    static void OnTurn(Runnable& entry);
    SocketCore& core;
  };

  Loop& loop_;  // may have ended: see loop_ended()
  SocketFd fd_;
  Closer* closer_ = nullptr;
  Burial burial_;
  bool abandoned_ = false;
};

// A socket of the kernel's that was made elsewhere becomes one of `loop`'s
// backend. What is no socket is left to the first operation to say.
SocketFd TakeOver(Loop& loop, UniqueFd fd);

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_SOCKET_SOCKET_CORE_H_
