// SPDX-License-Identifier: Apache-2.0
//
// SocketCore: the common base of streams, listeners and datagram sockets: one
// socket of one loop, whose handle may be dropped while operations are in
// flight.
//
// Lives at a fixed address because operations refer to it. If operations are
// in flight when the handle is dropped, the loop adopts the core, cancels and
// reaps them, and only then closes the socket. (Closing an fd with an armed
// receive sends no FIN and leaves the receive armed.)
//
//     handle --Abandon()--> adopted by the loop, cancelling
//                 |                   | the last operation in flight ends
//                 +-nothing in flight-+--> CloseIfIdle(): closed; deleted when
//                                          the loop runs its entry

#ifndef RINGWAY_NET_SOCKET_SOCKET_CORE_H_
#define RINGWAY_NET_SOCKET_SOCKET_CORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "ringway/backends/socket_calls.h"
#include "ringway/core/runnable.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"

namespace ringway::net::internal {

// Its turn to be deleted.
struct Burial : Runnable {
  using Runnable::Runnable;
};

class SocketCore : public Orphan, private Burial {
 public:
  Loop& loop() { return loop_; }
  int fd() const { return fd_.get(); }
  // The handle was dropped: operations in flight end, no new ones start.
  bool abandoned() const { return abandoned_; }
  // Requires that the loop has not ended.
  SocketCalls& sockets() const { return loop_.backend().sockets(); }

  // For descriptions of what a task waits for: ask the kernel, and allocate.
  // `action` and the peer's address, that of the socket where the peer has none
  // (an accepted Unix stream), "fd 7" where that has none either.
  std::string DescribeWithPeer(std::string_view action) const;
  // `action` and the address that it is bound to, or "fd 7".
  std::string DescribeWithLocal(std::string_view action) const;

  // `on_closed` runs, with 0 or -errno, when the socket has been closed.
  struct Closer {
    void (*on_closed)(Closer&, int32_t result);
  };

  // Transfers the core to its loop, which cancels the operations in flight and
  // closes the socket, at once if there are none; deletes it if the loop has
  // ended. Runs `closer`, if not null, unless ForgetCloser() was called first.
  // `what` is the handle's name ("a TcpStream") for the messages of checks.
  static void Abandon(std::unique_ptr<SocketCore> core, const char* what,
                      Closer* closer = nullptr);
  void ForgetCloser() { closer_ = nullptr; }

 protected:
  SocketCore(Loop& loop, SocketFd fd)
      : Orphan(loop), Burial(&OnBurial), loop_(loop), fd_(std::move(fd)) {}

  // Operations on the socket are in flight, or their completions have not run.
  virtual bool InFlight() const = 0;
  // The handle was dropped: cancels all operations in flight and ends queued
  // waits. Does not call CloseIfIdle().
  virtual void OnAbandon() = 0;
  // The socket has been closed.
  virtual void OnClosed() {}
  // No task is left that could use it, and all operations have ended.
  void OnLoopEnd() override {
    fd_.Close();
    OnClosed();
  }

  // The socket itself, which this no longer has. Requires !InFlight().
  SocketFd TakeFd() { return std::move(fd_); }

  // Called after the end of each operation: closes an abandoned socket without
  // operations in flight. Deletes this later, never from inside a call.
  void CloseIfIdle() {
    if (abandoned_) [[unlikely]] {
      CloseAbandonedIfIdle();
    }
  }

 private:
  static void OnBurial(Runnable& entry);
  void CloseAbandonedIfIdle();

  Loop& loop_;  // may have ended: see loop_ended()
  SocketFd fd_;
  Closer* closer_ = nullptr;
  bool abandoned_ = false;
};

// Makes a kernel socket created elsewhere one of `loop`'s backend. If the fd is
// not a socket, the first operation fails.
SocketFd TakeOver(Loop& loop, UniqueFd fd);

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_SOCKET_SOCKET_CORE_H_
