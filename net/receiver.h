// SPDX-License-Identifier: Apache-2.0
//
// Receiver: the multishot receive of one stream and what it has delivered.
//
// Armed by the first Receive(), paused (cancelled, keeping what came) when
// nobody takes what it delivers, so that one slow reader cannot hold every
// buffer of the worker.

#ifndef RINGWAY_NET_RECEIVER_H_
#define RINGWAY_NET_RECEIVER_H_

#include <cstdint>

#include "backends/operation.h"
#include "executor/loop.h"
#include "executor/task_context.h"
#include "net/received_buffer.h"

namespace ringway::net::internal {

class StreamCore;

class Receiver {
 public:
  // Deliveries held for a reader that does not come before the receive is
  // paused.
  static constexpr uint32_t kMaxHeld = 4;

  explicit Receiver(StreamCore& core);
  // Requires !armed().
  ~Receiver();

  bool armed() const { return receive_.active(); }

  // True when Take() would not have to wait.
  bool ready();

  // The next bytes, in order; empty at the end. Requires ready(). At the end
  // `end_result` becomes what ended it: 0 or -errno, else it stays. An error is
  // given once, as by recv(2): the next receive asks the kernel again.
  ReceivedBuffer Take(int32_t& end_result);

  // A task that waits for ready().
  struct Waiter {
    TaskContext* task = nullptr;
    bool cancelled = false;  // the stream was dropped meanwhile
  };

  // Resumes the waiter's task once ready(), arming the receive if need be. One
  // at a time (checked).
  void Wait(Waiter& waiter);
  void StopWaiting() { waiter_ = nullptr; }

  // Serves a Read() of the caller's own buffer: from what was delivered if
  // there is any, else the multishot receive is stopped first and `read`
  // started after it, so that no byte overtakes another.
  void HandOver(Operation& read);
  // `read` no longer wants to be served; false if it is not waiting here.
  bool LeaveHandOver(Operation& read);

  // Ends the receive, if it is armed, forgets what it delivered and cancels who
  // waits for it.
  void Abandon();

 private:
  struct Receive : MultishotOperation {
    explicit Receive(Receiver& r)
        : MultishotOperation(&OnDelivery), receiver(r) {}
    static void OnDelivery(Runnable& entry);
    Receiver& receiver;
  };

  void OnDelivery();
  void Arm();
  void PauseIfFull();
  void Refill();
  bool ServeRead(Operation& read);
  int32_t TakeEnd();

  StreamCore& core_;
  Receive receive_;
  ReceivedBuffer current_;     // delivered first and not all taken
  Waiter* waiter_ = nullptr;   // in Wait()
  Operation* read_ = nullptr;  // in HandOver(), waiting for the receive to stop
  bool abandoned_ = false;
  bool pausing_ = false;  // a cancel of our own is under way
  bool ended_ = false;
  int32_t end_result_ = 0;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_RECEIVER_H_
