// SPDX-License-Identifier: Apache-2.0
//
// Receiver: the multishot receive of one stream and its deliveries.
//
// Armed by the first Receive(). Paused (cancelled, keeping the deliveries) when
// no task takes the deliveries, so that one slow reader cannot hold every
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

// A task that waits for what a receiver delivers; the base of ReceiveOp and
// ReceiveUntilOp.
class ReceiveWait : public ringway::internal::Wait<ReceiveWait> {
 protected:
  // Ends with the first delivery, or, if there is a `consumer`, when that has
  // enough.
  explicit ReceiveWait(StreamCore* core, ReceiveConsumer* consumer = nullptr);
  ~ReceiveWait() { LeaveIfWaiting(); }

  // Once the wait is over and not cancelled: the bytes, unless they are the
  // consumer's, or none and in `end_result` what ended the stream, 0 or -errno.
  ReceivedBuffer Take(int32_t& end_result);

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
  // True if the receiver has what the task waits for.
  bool IsServed();
  // Gives the consumer what is delivered. False if it needs more.
  bool Consume();

  ReceiveConsumer* const consumer_;
  bool taken_ = false;  // the next two are the result
  int32_t end_result_ = 0;
  ReceivedBuffer buffer_;
};

class Receiver {
 public:
  // The receive is paused when this many deliveries are waiting for a reader.
  static constexpr uint32_t kMaxHeld = 4;

  // Must not be destroyed while in_progress() (checked).
  explicit Receiver(StreamCore& core);

  // The kernel may still deliver, or completions have not run yet.
  bool in_progress() const { return receive_.in_progress(); }

  // True if Take() has a result.
  bool ready() const {
    return receive_.untaken() > 0 || !current_.empty() || at_end_ ||
           receive_.state() == ArmedMultishot::State::kEnded;
  }

  // The next bytes, in order; empty at the end. Requires ready(). At the end
  // sets `end_result` to 0 or -errno, otherwise leaves it unchanged. An error
  // is returned once, as by recv(2): the next receive arms again.
  ReceivedBuffer Take(int32_t& end_result);

  // Continues the waiter's task once ready(), arming the receive if need be.
  // One at a time (checked).
  void Wait(ReceiveWait& waiter);
  void StopWaiting() { waiter_ = nullptr; }

  // Serves a Read(), or a read by recvmsg, into the caller's own buffer: from a
  // delivery if there is one, without control data; otherwise stops the
  // multishot receive first and then starts `read`, so that bytes keep their
  // order.
  void HandOver(Operation& read);
  // Removes `read` from waiting; false if it is not waiting here.
  bool LeaveHandOver(Operation& read);

  // Stops the receive if it is in progress, drops its deliveries and cancels
  // the waiting task.
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
  // The oldest delivery; empty if there is none.
  ReceivedBuffer TakeDelivery();
  bool ServeRead(Operation& read);
  int32_t TakeEnd();

  StreamCore& core_;
  Receive receive_;
  ReceivedBuffer current_;         // a delivery that a read took in part
  ReceiveWait* waiter_ = nullptr;  // in Wait()
  Operation* read_ = nullptr;  // in HandOver(), waiting for the receive to stop
  bool abandoned_ = false;
  bool at_end_ = false;  // of the stream, and a reader has seen it
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_SOCKET_RECEIVER_H_
