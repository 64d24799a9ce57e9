// SPDX-License-Identifier: Apache-2.0
//
// Receiver: the multishot receive of one stream and what it has delivered.
//
// Armed by the first Receive(), paused (cancelled, keeping what came) when
// nobody takes what it delivers, so that one slow reader cannot hold every
// buffer of the worker.

#ifndef RINGWAY_NET_SOCKET_RECEIVER_H_
#define RINGWAY_NET_SOCKET_RECEIVER_H_

#include <cstdint>
#include <string>

#include "ringway/backends/operation.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/wait.h"
#include "ringway/net/received_buffer.h"
#include "ringway/net/socket/armed_multishot.h"

namespace ringway::net::internal {

class Receiver;
class StreamCore;

// A task that waits for what a receiver delivers; the base of ReceiveOp.
class ReceiveWait : public ringway::internal::Wait<ReceiveWait> {
 protected:
  explicit ReceiveWait(StreamCore* core);
  ~ReceiveWait() { LeaveIfWaiting(); }

  // Once the wait is over and not cancelled: moves the bytes out, or says what
  // ended the stream, 0 or -errno.
  int32_t Take(ReceivedBuffer& buffer);

  StreamCore* const core_;
  const Unusable unusable_;

 private:
  friend class ringway::internal::Wait<ReceiveWait>;
  friend class Receiver;
  using WaitEnd = ringway::internal::WaitEnd;

  WaitEnd Admit();
  WaitEnd Begin();
  bool Leave();
  static std::string Describe(const Suspension& suspension);
  void TakeDelivered();

  bool taken_ = false;  // without waiting: the next two are the result
  int32_t end_result_ = 0;
  ReceivedBuffer buffer_;
};

class Receiver {
 public:
  // Deliveries held for a reader that does not come before the receive is
  // paused.
  static constexpr uint32_t kMaxHeld = 4;

  // Must not be destroyed while in_progress() (checked).
  explicit Receiver(StreamCore& core);

  // The kernel may still deliver, or the news of what it delivered are on their
  // way.
  bool in_progress() const { return receive_.in_progress(); }

  // True when Take() would not have to wait.
  bool ready();

  // The next bytes, in order; empty at the end. Requires ready(). At the end
  // `end_result` becomes what ended it: 0 or -errno, else it stays. An error is
  // given once, as by recv(2): the next receive asks the kernel again.
  ReceivedBuffer Take(int32_t& end_result);

  // Continues the waiter's task once ready(), arming the receive if need be.
  // One at a time (checked).
  void Wait(ReceiveWait& waiter);
  void StopWaiting() { waiter_ = nullptr; }

  // Serves a Read() of the caller's own buffer: from what was delivered if
  // there is any, else the multishot receive is stopped first and `read`
  // started after it, so that no byte overtakes another.
  void HandOver(Operation& read);
  // `read` no longer wants to be served; false if it is not waiting here.
  bool LeaveHandOver(Operation& read);

  // Ends the receive, if it is in progress, forgets what it delivered and
  // cancels who waits for it.
  void Abandon();

 private:
  struct Receive : ArmedMultishot {
    Receive(Loop& loop, Receiver& r)
        : ArmedMultishot(loop, &OnNews), receiver(r) {}
    static void OnNews(ArmedMultishot& self);
    Receiver& receiver;
  };

  void OnNews();
  void ServeWaiters();
  void Arm();
  void PauseIfFull();
  void Refill();
  bool ServeRead(Operation& read);
  int32_t TakeEnd();

  StreamCore& core_;
  Receive receive_;
  ReceivedBuffer current_;         // delivered first and not all taken
  ReceiveWait* waiter_ = nullptr;  // in Wait()
  Operation* read_ = nullptr;  // in HandOver(), waiting for the receive to stop
  bool abandoned_ = false;
  bool at_end_ = false;  // of the stream, and a reader knows
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_SOCKET_RECEIVER_H_
